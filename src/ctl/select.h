/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which jobs are meant: names, patterns, --registry=. */

#include "ctl/ctl.h"

/* The jobs of these names and shell patterns, or all if there are none named, and of those the ones of the
 * registry that --registry= names; each once, in the order in which they were named. Complains about names
 * that do not exist and says what they may have meant. Returns 0 or -ENOMEM. */
int select_jobs(Ctl *ctl, const Snapshot *s, char *const *names, const JobSnapshot ***ret, size_t *ret_n);

/* Pure. Whether a job is one of those, for jobs that come later. */
bool select_matches(const JobSnapshot *j, char *const *names, const char *registry);
/* Pure. Whether `name` is a pattern, which no job's name is. */
bool select_is_pattern(const char *name);
