/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A list of steps that cannot get out of order: whoever adds one says no more than what he knows, and
 * what lies between is filled in as skipped.
 *
 * Owns the names of the steps and results. Knows nothing of how a step is done. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "model/trace.h"

#define DETAIL_MAX 512

static const char *const step_table[_TRACE_STEP_MAX] = {
        [TRACE_TOKEN] = "token",
        [TRACE_CLAIMS] = "claims",
        [TRACE_DNS] = "dns",
        [TRACE_TCP] = "tcp",
        [TRACE_TLS] = "tls",
        [TRACE_EXCHANGE] = "exchange",
        [TRACE_VERIFICATION] = "verification",
        [TRACE_PUBLICATION] = "publication",
};

static const char *const result_table[_TRACE_RESULT_MAX] = {
        [TRACE_OK] = "ok",
        [TRACE_FAILED] = "failed",
        [TRACE_SKIPPED] = "skipped",
};

const char *trace_step_to_string(TraceStep s) {
        return s >= 0 && s < _TRACE_STEP_MAX ? step_table[s] : NULL;
}

TraceStep trace_step_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(step_table); i++)
                if (streq_ptr(s, step_table[i]))
                        return (TraceStep) i;
        return _TRACE_STEP_INVALID;
}

const char *trace_result_to_string(TraceResult r) {
        return r >= 0 && r < _TRACE_RESULT_MAX ? result_table[r] : NULL;
}

TraceResult trace_result_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(result_table); i++)
                if (streq_ptr(s, result_table[i]))
                        return (TraceResult) i;
        return _TRACE_RESULT_INVALID;
}

void trace_done(Trace *t) {
        for (size_t i = 0; i < t->n_entries; i++)
                free(t->entries[i].detail);
        *t = (Trace){};
}

static TraceStep next_step(const Trace *t) {
        return t->n_entries > 0 ? t->entries[t->n_entries - 1].step + 1 : 0;
}

static int append(Trace *t, TraceStep step, TraceResult result, usec_t usec, const char *text) {
        char *detail;
        int r;

        r = text_clean(text, strlen(text), DETAIL_MAX, &detail);
        if (r < 0)
                return r;
        t->entries[t->n_entries++] =
                (TraceEntry){ .step = step, .result = result, .usec = usec, .detail = detail };
        return 0;
}

bool trace_has_failed(const Trace *t) {
        for (size_t i = 0; i < t->n_entries; i++)
                if (t->entries[i].result == TRACE_FAILED)
                        return true;
        return false;
}

int trace_fill(Trace *t, TraceStep last) {
        for (TraceStep s = next_step(t); s <= last && s < _TRACE_STEP_MAX; s++) {
                int r = append(t, s, TRACE_SKIPPED, 0, "");

                if (r < 0)
                        return r;
        }
        return 0;
}

int trace_add(Trace *t, TraceStep step, TraceResult result, usec_t usec, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int r;

        if (step < next_step(t) || step >= _TRACE_STEP_MAX)
                return 0;
        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        r = step > 0 ? trace_fill(t, step - 1) : 0;
        return r < 0 ? r : append(t, step, result, usec, text);
}
