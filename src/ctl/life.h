/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much of a credential's life is left, as numbers, words and a bar. Pure: the time is an argument. */

#include "base/clock.h"
#include "base/scalar.h"
#include "client/snapshot.h"
#include "ctl/style.h"

/* What is left of the credential that stands in the targets; 0 if none does. */
usec_t life_left(const JobSnapshot *j, usec_t now);
/* Its whole life; 0 if that is not known. */
usec_t life_whole(const JobSnapshot *j);

/* The job's state, or "disabled" for one that rests because somebody said so. */
const char *job_state_word(const JobSnapshot *j);

/* Whether nothing needs attention: fresh, refreshing in time, or disabled. */
bool job_is_well(const JobSnapshot *j, usec_t now);

/* As format_span(), but with no more exactness than people read: whole minutes from ten minutes on. */
char *format_rough_span(char buf[static SPAN_MAX], usec_t span);

/* "42min left of 1h", "ended 3min ago", "no credential" */
int life_text(const JobSnapshot *j, usec_t now, char **ret);
/* "refresh in 17min", "next attempt in 40s", "refresh under way", "no attempt planned" */
int life_next_text(const JobSnapshot *j, usec_t now, char **ret);

/* `width` characters, full at the beginning of a life and empty at its end; empty only when it is over.
 * Always UTF-8: page_write() makes ASCII of it where it must. */
int life_bar(usec_t left, usec_t whole, unsigned width, char **ret);
