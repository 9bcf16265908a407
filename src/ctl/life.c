/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words and the bar for what is left of a life.
 *
 * Owns the wording only; when a refresh is due, and what state a job is in, the daemon says. Reads no clock.
 * */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/life.h"
#include "model/job-state.h"

#define FULL "█"
#define EMPTY "░"

usec_t life_left(const JobSnapshot *j, usec_t now) {
        return usec_sub(j->expires, now);
}

usec_t life_whole(const JobSnapshot *j) {
        return j->issued > 0 ? usec_sub(j->expires, j->issued) : 0;
}

const char *job_state_word(const JobSnapshot *j) {
        bool rests = !j->enabled && job_state_from_string(j->state) == JOB_INACTIVE;

        return rests ? "disabled" : j->state;
}

bool job_is_well(const JobSnapshot *j, usec_t now) {
        switch (job_state_from_string(j->state)) {
        case JOB_FRESH:
                return true;
        case JOB_REFRESHING:
                return life_left(j, now) > 0 && isempty(j->reason);
        case JOB_INACTIVE:
                return !j->enabled;
        case JOB_RETRYING:
        case JOB_EXPIRED:
        case JOB_FAILED:
        case _JOB_STATE_MAX:
        case _JOB_STATE_INVALID:
                break;
        }
        return false;
}

char *format_rough_span(char buf[static SPAN_MAX], usec_t span) {
        if (span != USEC_INFINITY && span >= 10 * USEC_PER_MINUTE)
                span -= span % USEC_PER_MINUTE;
        return format_span(buf, span);
}

int life_text(const JobSnapshot *j, usec_t now, char **ret) {
        usec_t left = life_left(j, now), whole = life_whole(j);
        char a[SPAN_MAX], b[SPAN_MAX];

        if (j->expires == 0)
                return text_format(ret, "no credential");
        if (left == 0)
                return text_format(ret, "ended %s ago", format_rough_span(a, usec_sub(now, j->expires)));
        if (whole == 0)
                return text_format(ret, "%s left", format_rough_span(a, left));
        return text_format(ret, "%s left of %s", format_rough_span(a, left), format_rough_span(b, whole));
}

int life_next_text(const JobSnapshot *j, usec_t now, char **ret) {
        JobState state = job_state_from_string(j->state);
        char a[SPAN_MAX];

        if (state == JOB_REFRESHING)
                return text_format(ret, "refresh under way");
        if (j->next_attempt == 0)
                return text_format(ret, "no attempt planned");
        if (j->next_attempt <= now)
                return text_format(ret, "next attempt due");
        return text_format(ret, "%s in %s", state == JOB_FRESH ? "refresh" : "next attempt",
                           format_rough_span(a, j->next_attempt - now));
}

int life_bar(usec_t left, usec_t whole, unsigned width, char **ret) {
        _cleanup_free_ char *bar = NULL;
        unsigned full = 0;
        size_t size = 0;

        if (whole > 0) {
                /* In seconds, so that no life is long enough to overflow. */
                usec_t share = (left / USEC_PER_SEC) * width / (whole / USEC_PER_SEC ?: 1);

                full = share > width ? width : (unsigned) share;
        }
        if (full == 0 && left > 0)
                full = 1;
        bar = malloc((size_t) width * (sizeof(FULL) + sizeof(EMPTY)) + 1);
        if (!bar)
                return -ENOMEM;
        for (unsigned i = 0; i < width; i++) {
                const char *piece = i < full ? FULL : EMPTY;

                memcpy(bar + size, piece, strlen(piece));
                size += strlen(piece);
        }
        bar[size] = '\0';
        *ret = TAKE_PTR(bar);
        return 0;
}
