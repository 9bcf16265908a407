/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A service that gives no identity: who says no, who is not well, and what to do about either. */

#include "worker-fixture.h"
#include "worker/source-failure.h"

static void every_problem_is_one_of_the_identity(void **state) {
        static const struct {
                HttpProblem problem;
                Reason reason;
        } rows[] = {
                { HTTP_RESOLVE, REASON_NAME_RESOLUTION },
                { HTTP_CONNECT, REASON_CONNECTION_FAILED },
                { HTTP_TIMEOUT, REASON_TIMEOUT },
                { HTTP_CLOSED, REASON_CONNECTION_LOST },
                { HTTP_BROKEN, REASON_CONNECTION_LOST },
                { HTTP_TLS_UNTRUSTED, REASON_TLS_UNTRUSTED },
                { HTTP_TLS_HOST, REASON_TLS_HOST_MISMATCH },
                { HTTP_TLS_DATES, REASON_TLS_CERTIFICATE_DATES },
                { HTTP_TLS_OTHER, REASON_TLS_FAILED },
                { HTTP_TOO_LARGE, REASON_IDENTITY_SOURCE_FAILED },
                { HTTP_INTERNAL, REASON_INTERNAL },
        };

        assert_int_equal(ELEMENTSOF(rows), _HTTP_PROBLEM_MAX - 1);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                /* Closed behind the handshake, which is a reason of its own at a registry. */
                const HttpAnswer a = { .problem = rows[i].problem, .timings.secured = 5 };
                _cleanup_failure_ Failure *f = NULL;

                assert_int_equal(source_failure_of_problem(&a, "issuer.example.com", &f), 0);
                assert_int_equal(f->reason, rows[i].reason);
                assert_int_equal(f->step, STEP_IDENTITY);
                assert_non_null(strstr(f->message, "issuer.example.com"));
                assert_null(strstr(failure_hint(f), "registry"));
        }
}

static Reason of_status(int status, const char *retry_after, const char *body, const char *words) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, body);
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_secret_ Secret *secret = NULL;

        if (retry_after)
                a.retry_after = strdup(retry_after);
        assert_int_equal(secret_new_string("correct horse battery", &secret), 0);
        assert_int_equal(
                source_failure_of_status(&a, "issuer.example.com", (const Secret *const[]){ secret }, 1, &f),
                0);
        assert_int_equal(f->step, STEP_IDENTITY);
        assert_int_equal(f->http_status, status);
        assert_true(streq_ptr(f->words, words));
        assert_non_null(strstr(f->message, "issuer.example.com"));
        assert_null(strstr(failure_hint(f), "registry"));
        return f->reason;
}

static void who_says_no_is_told_from_who_is_unwell(void **state) {
        static const int refused[] = { 301, 400, 401, 403, 404, 405, 409, 422 },
                         unwell[] = { 408, 500, 502, 503, 204 };

        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                assert_int_equal(of_status(refused[i], NULL, "", NULL), REASON_IDENTITY_SOURCE_REFUSED);
        for (size_t i = 0; i < ELEMENTSOF(unwell); i++)
                assert_int_equal(of_status(unwell[i], NULL, "", NULL), REASON_IDENTITY_SOURCE_FAILED);
        assert_int_equal(of_status(429, NULL, "", NULL), REASON_RATE_LIMITED);
        assert_int_equal(of_status(503, "7", "", NULL), REASON_RATE_LIMITED);
}

static void its_words_are_told_but_for_secrets(void **state) {
        (void) of_status(401, NULL, "{\"error\":\"invalid_client\",\"error_description\":\"expired\"}",
                         "invalid_client: expired");
        (void) of_status(403, NULL, "{\"kind\":\"Status\",\"message\":\"serviceaccounts is forbidden\"}",
                         "serviceaccounts is forbidden");
        (void) of_status(401, NULL, "{\"error\":\"bad secret correct horse battery\"}", NULL);
}

static void a_body_that_is_wrong_is_said_to_be(void **state) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(200, "<html>");
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(source_failure_of_body(&a, "issuer.example.com", "not in JSON", &f), 0);
        assert_int_equal(f->reason, REASON_IDENTITY_SOURCE_FAILED);
        assert_string_equal(f->message, "issuer.example.com answered with success, but not in JSON");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_problem_is_one_of_the_identity),
                cmocka_unit_test(who_says_no_is_told_from_who_is_unwell),
                cmocka_unit_test(its_words_are_told_but_for_secrets),
                cmocka_unit_test(a_body_that_is_wrong_is_said_to_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
