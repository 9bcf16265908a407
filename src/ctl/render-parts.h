/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces that several renderings have in common. */

#include "base/clock.h"
#include "client/snapshot.h"
#include "ctl/page.h"

#define BAR_WIDTH 24

/* "exchange failed (robot-unknown, HTTP 400): what happened", or what happened alone */
int failure_text(const JobSnapshot *j, char **ret);
bool job_has_failure(const JobSnapshot *j);

/* One line for each: "error: FILE:LINE: TEXT", indented. */
void page_messages(Page *p, size_t indent, const ShownMessages *l);
/* "3 jobs: 1 fresh, 2 failed" without newline */
void page_counts(Page *p, const Snapshot *s);
/* "“words”" in a NULL-safe copy */
int quoted(const char *words, char **ret);
