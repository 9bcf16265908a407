/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Advice on what a tool takes for an image. Pure. */

#include "client/snapshot.h"
#include "ctl/tool.h"

bool job_publishes_to(const JobSnapshot *j, const char *path);
/* To any file of the tool? */
bool job_reaches(const JobSnapshot *j, const Tool *t);
/* Is docker-credential-pullauth(1) what is asked? */
bool answer_is_our_helper(const ConsumerAnswer *a);

/* `job` is the one that should serve it, or NULL. `*ret` stays as it is where there is nothing to do.
 * Returns 0 or -ENOMEM. */
int use_hint(const Tool *t, const ConsumerAnswer *a, const char *repository, const JobSnapshot *job,
             char **ret);
