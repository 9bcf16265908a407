/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From HTTP's ways of going wrong to failures of the identity step.
 *
 * The sentences are those of worker/http-failure; what to do is another matter than at the registry, so each
 * hint is made here. A service that is unwell is another class than one that says no: the first may be well
 * again any moment, the second waits for people. */

#include <string.h>

#include "base/text.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"
#include "worker/source-failure.h"

static int hint_of_problem(Failure *f, HttpProblem problem, const char *server) {
        switch (problem) {
        case HTTP_RESOLVE:
                return failure_set_hint(f,
                                        "Check the name in '%s' as the identity has it, and the name "
                                        "servers of this host",
                                        server);
        case HTTP_CONNECT:
        case HTTP_CLOSED:
        case HTTP_BROKEN:
        case HTTP_TIMEOUT:
                return failure_set_hint(f,
                                        "Check that %s is well and that this host may reach it (route, "
                                        "firewall, Proxy= of the identity)",
                                        server);
        case HTTP_TLS_UNTRUSTED:
                return failure_set_hint(f,
                                        "Name the file with the certificate authority of %s in CAFile= "
                                        "of the identity, or add it to the trust store of this host",
                                        server);
        case HTTP_TLS_HOST:
                return failure_set_hint(f, "Use a name in the identity that stands in the certificate of %s",
                                        server);
        case HTTP_TLS_DATES:
                return failure_set_hint(f,
                                        "Check the clock of this host first ('timedatectl'), then the "
                                        "dates of the certificate of %s",
                                        server);
        case HTTP_TLS_OTHER:
                return failure_set_hint(f,
                                        "Check that %s speaks TLS 1.2 or newer on this port, and whether "
                                        "it wants a certificate of this host",
                                        server);
        case HTTP_TOO_LARGE:
                return failure_set_hint(f,
                                        "Check the address of %s in the identity, and that no proxy or "
                                        "portal answers in its place",
                                        server);
        case HTTP_OK:
        case HTTP_INTERNAL:
        case _HTTP_PROBLEM_MAX:
        case _HTTP_PROBLEM_INVALID:
                break;
        }
        return 0;
}

int source_failure_of_problem(const HttpAnswer *a, const char *server, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = http_failure_of_problem(a, STEP_IDENTITY, server, &f);
        if (r >= 0)
                r = hint_of_problem(f, a->problem, server);
        if (r < 0)
                return r;
        /* These two are known of registries alone. */
        if (f->reason == REASON_REGISTRY_CLOSED)
                f->reason = REASON_CONNECTION_LOST;
        if (f->reason == REASON_ANSWER_TOO_LARGE)
                f->reason = REASON_IDENTITY_SOURCE_FAILED;
        *ret = TAKE_PTR(f);
        return 0;
}

static int new_of_status(const HttpAnswer *a, const char *server, Failure **ret) {
        if (a->status == 429 || (a->status == 503 && retry_after_parse(a->retry_after, 0) > 0))
                return failure_new(ret, STEP_IDENTITY, REASON_RATE_LIMITED,
                                   "%s asks to be left alone for a while (status %i)", server, a->status);
        if (a->status >= 300 && a->status < 400)
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                   "%s redirects to another address (status %i), which is not followed",
                                   server, a->status);
        if (a->status == 404 || a->status == 405)
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                   "%s does not know what was asked for (status %i)", server, a->status);
        if (a->status >= 400 && a->status < 500 && a->status != 408)
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED,
                                   "%s refuses to give a token (status %i)", server, a->status);
        return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s gave no token (status %i)",
                           server, a->status);
}

static int hint_of_status(Failure *f, const HttpAnswer *a, const char *server) {
        if (f->reason == REASON_RATE_LIMITED)
                return failure_set_hint(f, "Wait; if it lasts, ask the administrator of %s for its limits",
                                        server);
        if (a->status >= 300 && a->status < 400)
                return failure_set_hint(f, "Put the final address of %s into the identity", server);
        return 0;
}

int source_failure_of_status(const HttpAnswer *a, const char *server, const Secret *const *secrets,
                             size_t n_secrets, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_(words_done) Words w = {};
        int r;

        r = words_read(a, secrets, n_secrets, &w);
        if (r >= 0)
                r = new_of_status(a, server, &f);
        if (r >= 0)
                r = hint_of_status(f, a, server);
        if (r >= 0)
                r = http_failure_complete(f, a, &w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int source_failure_of_body(const HttpAnswer *a, const char *server, const char *what, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s answered with success, but %s",
                        server, what);
        if (r >= 0)
                r = failure_set_hint(f,
                                     "Check the address of %s in the identity, and that no proxy or "
                                     "portal answers in its place",
                                     server);
        if (r < 0)
                return r;
        f->http_status = a->status;
        *ret = TAKE_PTR(f);
        return 0;
}
