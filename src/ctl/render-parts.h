/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces that several renderings have in common. */

#include "base/clock.h"
#include "client/snapshot.h"
#include "ctl/page.h"

#define BAR_WIDTH 24

/* The step, `verb`, what happened, and in parentheses reason and HTTP status, as far as there are any:
 * "exchange failed: There is no such robot (robot-unknown, HTTP 400)" */
int failure_text(const JobSnapshot *j, const char *verb, char **ret);
bool job_has_failure(const JobSnapshot *j);

/* One line for each: "error: FILE:LINE: TEXT", indented; what stands above it in the same list not again (an
 * identity's messages come with each of its jobs). */
void page_messages(Page *p, size_t indent, const ShownMessages *l);
/* "3 jobs: 1 fresh, 2 failed" without newline */
void page_counts(Page *p, const Snapshot *s);
/* "“words”" in a NULL-safe copy */
int quoted(const char *words, char **ret);
