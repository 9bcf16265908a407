/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happened on the way of one test, step by step, for people. */

#include "base/clock.h"
#include "base/macro.h"

/* In the order in which they come; the strings are API: org.pullauth1(5), TestJob(). */
typedef enum TraceStep {
        TRACE_TOKEN,  /* the source gave something */
        TRACE_CLAIMS, /* it is a JWT that the registry could take */
        TRACE_DNS,
        TRACE_TCP,
        TRACE_TLS,
        TRACE_EXCHANGE,
        TRACE_VERIFICATION,
        TRACE_PUBLICATION,
        _TRACE_STEP_MAX,
        _TRACE_STEP_INVALID = -EINVAL,
} TraceStep;

typedef enum TraceResult {
        TRACE_OK,
        TRACE_FAILED,
        TRACE_SKIPPED, /* not reached, or not needed: the detail says which */
        _TRACE_RESULT_MAX,
        _TRACE_RESULT_INVALID = -EINVAL,
} TraceResult;

const char *trace_step_to_string(TraceStep s);
TraceStep trace_step_from_string(const char *s);
const char *trace_result_to_string(TraceResult r);
TraceResult trace_result_from_string(const char *s);

typedef struct TraceEntry {
        TraceStep step;
        TraceResult result;
        usec_t usec;  /* how long it took */
        char *detail; /* one cleaned line without a secret, maybe "" */
} TraceEntry;

typedef struct Trace {
        TraceEntry entries[_TRACE_STEP_MAX]; /* each step once at most, in their order */
        size_t n_entries;
} Trace;

void trace_done(Trace *t);
/* Steps that lie before this one and are not there are added as skipped. A step that is there already, or
 * one that lies behind it, stays as it is and nothing is added. The detail is cleaned. Returns 0 or
 * -ENOMEM. */
int trace_add(Trace *t, TraceStep step, TraceResult result, usec_t usec, const char *format, ...)
        _printf_(5, 6);
bool trace_has_failed(const Trace *t);
/* Adds every step up to and with `last` that is not there yet as skipped. */
int trace_fill(Trace *t, TraceStep last);
