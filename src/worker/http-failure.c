/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From HTTP's ways of going wrong to reasons that people can act on.
 *
 * Owns the sentences about the network, TLS and status codes. Does not know what was asked for; whatever a
 * status means at one door only stands with that door. */

#include <string.h>

#include "base/text.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"

typedef struct ProblemRow {
        Reason reason;
        const char *before, *after; /* the server's name */
} ProblemRow;

static const ProblemRow problem_rows[_HTTP_PROBLEM_MAX] = {
        [HTTP_OK] = { REASON_INTERNAL, "Nothing is wrong with ", "" },
        [HTTP_RESOLVE] = { REASON_NAME_RESOLUTION, "The address of ", " could not be found" },
        [HTTP_CONNECT] = { REASON_CONNECTION_FAILED, "No connection to ", " could be made" },
        [HTTP_TIMEOUT] = { REASON_TIMEOUT, "", " did not answer in time" },
        [HTTP_CLOSED] = { REASON_CONNECTION_LOST, "The connection to ", " ended while it was being made" },
        [HTTP_BROKEN] = { REASON_CONNECTION_LOST, "The answer of ", " ended early or was no HTTP" },
        [HTTP_TLS_UNTRUSTED] = { REASON_TLS_UNTRUSTED, "The certificate of ", " is not trusted" },
        [HTTP_TLS_HOST] = { REASON_TLS_HOST_MISMATCH, "The certificate of ",
                            " is made out for another name" },
        [HTTP_TLS_DATES] = { REASON_TLS_CERTIFICATE_DATES, "The certificate of ",
                             " is expired or not yet valid by the clock of this host" },
        [HTTP_TLS_OTHER] = { REASON_TLS_FAILED, "No secure connection to ", " could be agreed on" },
        [HTTP_TOO_LARGE] = { REASON_ANSWER_TOO_LARGE, "The answer of ",
                             " is larger than any that makes sense" },
        [HTTP_INTERNAL] = { REASON_INTERNAL, "The request to ", " could not be made" },
};

int http_failure_of_problem(const HttpAnswer *a, FailureStep step, const char *server, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        const ProblemRow *row = problem_rows + a->problem;
        _cleanup_free_ char *message = NULL;
        int r;

        /* Behind a complete handshake a close is the server's own decision. */
        if (a->problem == HTTP_CLOSED && (a->timings.secured > 0 || a->reused))
                r = failure_new(&f, step, REASON_REGISTRY_CLOSED,
                                "%s closed the connection without an answer", server);
        else {
                r = text_format(&message, "%s%s%s", row->before, server, row->after);
                if (r >= 0)
                        r = failure_new(&f, step, row->reason, "%s", message);
        }
        /* What libcurl says of our own caps is of no use to anyone. */
        if (r >= 0 && a->problem_text && a->problem != HTTP_TOO_LARGE)
                r = failure_set_words(f, a->problem_text, strlen(a->problem_text));
        if (r < 0)
                return r;
        f->http_status = a->status;
        *ret = TAKE_PTR(f);
        return 0;
}

int http_failure_complete(Failure *f, const HttpAnswer *a, const Words *words) {
        usec_t date;

        f->http_status = a->status;
        if (!a->date || http_date_parse(a->date, &date) < 0)
                date = now_real();
        f->retry_after = retry_after_parse(a->retry_after, date);
        return words && words->text ? failure_set_words(f, words->text, strlen(words->text)) : 0;
}

static bool is_rate_limit(const HttpAnswer *a) {
        return a->status == 429 ||
               ((a->status == 503 || a->status == 403) && retry_after_parse(a->retry_after, 0) > 0);
}

static int new_of_status(const HttpAnswer *a, FailureStep step, const char *server, const Words *words,
                         Failure **ret) {
        if (a->status >= 300 && a->status < 400)
                return failure_new(ret, step, REASON_REGISTRY_REDIRECTED,
                                   "%s redirects to another address (status %i)", server, a->status);
        if (words && words->read_only)
                return failure_new(ret, step, REASON_REGISTRY_READ_ONLY, "%s is read-only at present",
                                   server);
        if (is_rate_limit(a))
                return failure_new(ret, step, REASON_RATE_LIMITED,
                                   "%s asks to be left alone for a while (status %i)", server, a->status);
        if (a->status == 404 || a->status == 405)
                return failure_new(ret, step, REASON_NOT_FOUND,
                                   "%s does not know the address that was asked for (status %i)", server,
                                   a->status);
        if (a->status == 502 || a->status == 504)
                return failure_new(
                        ret, step, REASON_REGISTRY_CLOSED,
                        "The front end of %s got no answer from the registry behind it (status %i)", server,
                        a->status);
        if (a->status >= 500)
                return failure_new(ret, step, REASON_REGISTRY_ERROR, "%s failed (status %i)", server,
                                   a->status);
        if (a->status >= 400)
                return failure_new(ret, step, REASON_REJECTED, "%s refused the request (status %i)", server,
                                   a->status);
        return failure_new(ret, step, REASON_ANSWER_MALFORMED,
                           "%s gave an answer that makes no sense (status %i)", server, a->status);
}

int http_failure_of_status(const HttpAnswer *a, FailureStep step, const char *server, const Words *words,
                           Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = new_of_status(a, step, server, words, &f);
        if (r >= 0)
                r = http_failure_complete(f, a, words);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int http_skew(const HttpAnswer *a, usec_t now_boot_usec, usec_t now_real_usec, int64_t *ret) {
        usec_t date, middle_boot, middle_real;

        if (a->problem != HTTP_OK || !a->date || http_date_parse(a->date, &date) < 0)
                return 0;
        middle_boot = a->started_boot + usec_sub(a->ended_boot, a->started_boot) / 2;
        middle_real = usec_sub(now_real_usec, usec_sub(now_boot_usec, middle_boot));
        /* Whole seconds, cut off: half a second more is the likeliest. */
        *ret = (int64_t) (date + USEC_PER_SEC / 2) - (int64_t) middle_real;
        return 1;
}
