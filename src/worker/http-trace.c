/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the timings of a transfer to what people are told of it.
 *
 * Owns the rule of which stage a transfer without an answer ended in: the first one whose time was not
 * reached. Says nothing of what was sent or answered. */

#include "base/text.h"
#include "worker/http-trace.h"

/* One stage that ends at `end`, a point of time since the start of the request; 0 if it was not reached. */
typedef struct Stage {
        TraceStep step;
        usec_t begin, end;
        const char *well;
} Stage;

/* A transfer that never had a connection made none either, which looks as if it had found one. */
static bool found_connection(const HttpAnswer *a) {
        switch (a->problem) {
        case HTTP_RESOLVE:
        case HTTP_CONNECT:
        case HTTP_TLS_UNTRUSTED:
        case HTTP_TLS_HOST:
        case HTTP_TLS_DATES:
        case HTTP_TLS_OTHER:
        case HTTP_INTERNAL:
                return false;
        case HTTP_TIMEOUT:
                return a->reused && a->reached;
        case HTTP_OK:
        case HTTP_CLOSED:
        case HTTP_BROKEN:
        case HTTP_TOO_LARGE:
        case _HTTP_PROBLEM_MAX:
        case _HTTP_PROBLEM_INVALID:
                break;
        }
        return a->reused;
}

/* libcurl may forget that it was connected when the handshake behind it failed, or did not end. */
static bool was_reached(const Stage *s, const HttpAnswer *a) {
        bool tls = (a->problem == HTTP_TIMEOUT && a->reached) || a->problem == HTTP_TLS_UNTRUSTED ||
                   a->problem == HTTP_TLS_HOST || a->problem == HTTP_TLS_DATES ||
                   a->problem == HTTP_TLS_OTHER;

        return s->end > 0 || (tls && s->step != TRACE_TLS);
}

int http_trace(Trace *t, const HttpAnswer *a, const char *server) {
        const HttpTimings *at = &a->timings;
        const Stage stages[] = {
                { TRACE_DNS, 0, at->resolved, "the name has an address" },
                { TRACE_TCP, at->resolved, at->connected, "connected" },
                { TRACE_TLS, at->connected, at->secured, "the certificate is trusted" },
        };

        for (size_t i = 0; i < ELEMENTSOF(stages); i++) {
                const Stage *s = stages + i;
                int r;

                if (found_connection(a))
                        r = trace_add(t, s->step, TRACE_SKIPPED, 0, "%s: the connection was there already",
                                      server);
                else if (was_reached(s, a))
                        r = trace_add(t, s->step, TRACE_OK, usec_sub(s->end, s->begin), "%s: %s", server,
                                      s->well);
                else
                        return trace_add(t, s->step, TRACE_FAILED, usec_sub(at->total, s->begin), "%s: %s",
                                         server, strempty(a->problem_text));
                if (r < 0)
                        return r;
        }
        return 0;
}
