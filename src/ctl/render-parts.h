/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces that several renderings have in common. */

#include "base/clock.h"
#include "client/snapshot.h"
#include "ctl/page.h"

#define BAR_WIDTH 24

/* Of a job or of a trial; no string is NULL. */
typedef struct ShownFailure {
        const char *reason, *step, *message, *registry_words, *hint;
        uint32_t http_status;
} ShownFailure;

bool failure_is_there(const ShownFailure *f);
/* "Failed", the registry's words, "To do" as fields of a page. */
void page_failure(Page *p, const ShownFailure *f);
ShownFailure job_failure(const JobSnapshot *j);
/* The step, `verb`, what happened, and in parentheses reason and HTTP status, as far as there are any:
 * "exchange failed: There is no such robot (robot-unknown, HTTP 400)" */
int failure_text(const ShownFailure *f, const char *verb, char **ret);

/* One line for each: "error: FILE:LINE: TEXT", indented; what stands above it in the same list not again (an
 * identity's messages come with each of its jobs). */
void page_messages(Page *p, size_t indent, const ShownMessages *l);
/* "3 jobs: 1 fresh, 2 failed" without newline */
void page_counts(Page *p, const Snapshot *s);
