/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of a trial as a table with their times, and below it what failed and what to do.
 *
 * Made by hand and not by libsmartcols: the details are sentences, which are wrapped rather than cut. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/render-parts.h"
#include "ctl/render.h"

#define SPAN_COLUMNS 8
#define SHORT_SPAN_MAX 32

static Tone result_tone(const char *result) {
        if (streq(result, "ok"))
                return TONE_GOOD;
        return streq(result, "failed") ? TONE_BAD : TONE_FAINT;
}

/* "0.4ms", "37ms", "2.1s" */
static const char *format_short_span(char buf[static SHORT_SPAN_MAX], usec_t span) {
        uint64_t tenths = span / (span < 10 * USEC_PER_SEC / 1000 ? 100 : 100000);

        if (span < 10 * USEC_PER_MSEC)
                (void) snprintf(buf, SHORT_SPAN_MAX, "%" PRIu64 ".%" PRIu64 "ms", tenths / 10, tenths % 10);
        else if (span < USEC_PER_SEC)
                (void) snprintf(buf, SHORT_SPAN_MAX, "%" PRIu64 "ms", span / USEC_PER_MSEC);
        else
                (void) snprintf(buf, SHORT_SPAN_MAX, "%" PRIu64 ".%" PRIu64 "s", tenths / 10, tenths % 10);
        return buf;
}

static void write_step(Page *p, const TestStep *s, size_t step_width, size_t result_width) {
        size_t indent = step_width + 2 + result_width + 2 + SPAN_COLUMNS + 2;
        char span[SHORT_SPAN_MAX] = "-";

        if (!streq(s->result, "skipped"))
                (void) format_short_span(span, s->span);
        page_column(p, TONE_PLAIN, step_width + 2, s->step);
        page_column(p, result_tone(s->result), result_width + 2, s->result);
        page_write(p, TONE_PLAIN, isempty(s->detail) ? "%*s\n" : "%*s  ", SPAN_COLUMNS, span);
        if (!isempty(s->detail))
                page_wrapped(p, indent, TONE_PLAIN, s->detail);
}

static void widen(size_t *width, const Style *style, const char *text) {
        size_t n = style_width(style, text, strlen(text));

        *width = n > *width ? n : *width;
}

static void write_trial(Page *p, const TestSteps *steps) {
        size_t step_width = strlen("STEP"), result_width = strlen("RESULT");

        for (size_t i = 0; i < steps->n_items; i++) {
                widen(&step_width, p->style, steps->items[i].step);
                widen(&result_width, p->style, steps->items[i].result);
        }
        if (p->style->legend && steps->n_items > 0)
                page_write(p, TONE_PLAIN, "%-*s  %-*s  %*s  WHAT\n", (int) step_width, "STEP",
                           (int) result_width, "RESULT", SPAN_COLUMNS, "TIME");
        for (size_t i = 0; i < steps->n_items; i++)
                write_step(p, steps->items + i, step_width, result_width);
}

int render_test(const TestSteps *steps, const TestFailure *failure, const Style *style, char **ret) {
        _cleanup_(page_done) Page p = {};
        const ShownFailure f = {
                .reason = failure->reason,
                .step = failure->step,
                .message = failure->message,
                .registry_words = failure->registry_words,
                .hint = failure->hint,
                .http_status = failure->http_status,
        };
        int r;

        r = page_open(&p, style);
        if (r < 0)
                return r;
        write_trial(&p, steps);
        if (failure_is_there(&f)) {
                page_write(&p, TONE_PLAIN, "\n");
                page_failure(&p, &f);
        } else if (style->legend)
                page_write(&p, TONE_PLAIN, "\nEvery step worked; nothing was changed\n");
        return page_take(&p, ret);
}
