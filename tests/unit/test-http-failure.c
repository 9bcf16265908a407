/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTTP's ways of going wrong, as reasons. */

#include "worker-fixture.h"
#include "worker/http-failure.h"

static Reason of_problem(HttpProblem problem, usec_t secured, bool reused) {
        const HttpAnswer a = {
                .problem = problem,
                .problem_text = (char *) "library's words",
                .timings = { .secured = secured },
                .reused = reused,
                .status = 200,
        };
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(http_failure_of_problem(&a, STEP_VERIFICATION, "quay.example.com", &f), 0);
        assert_int_equal(f->step, STEP_VERIFICATION);
        assert_int_equal(f->http_status, 200);
        assert_true(streq_ptr(f->words, problem == HTTP_TOO_LARGE ? NULL : "library's words"));
        assert_non_null(strstr(f->message, "quay.example.com"));
        return f->reason;
}

static void every_problem_has_a_reason_of_its_class(void **state) {
        static const struct {
                HttpProblem problem;
                Reason reason;
                FailureClass class;
        } rows[] = {
                { HTTP_RESOLVE, REASON_NAME_RESOLUTION, FAILURE_TRANSPORT },
                { HTTP_CONNECT, REASON_CONNECTION_FAILED, FAILURE_TRANSPORT },
                { HTTP_TIMEOUT, REASON_TIMEOUT, FAILURE_TRANSPORT },
                { HTTP_CLOSED, REASON_CONNECTION_LOST, FAILURE_TRANSPORT },
                { HTTP_BROKEN, REASON_CONNECTION_LOST, FAILURE_TRANSPORT },
                { HTTP_TLS_UNTRUSTED, REASON_TLS_UNTRUSTED, FAILURE_TLS },
                { HTTP_TLS_HOST, REASON_TLS_HOST_MISMATCH, FAILURE_TLS },
                { HTTP_TLS_DATES, REASON_TLS_CERTIFICATE_DATES, FAILURE_CLOCK },
                { HTTP_TLS_OTHER, REASON_TLS_FAILED, FAILURE_TLS },
                { HTTP_TOO_LARGE, REASON_ANSWER_TOO_LARGE, FAILURE_REGISTRY },
                { HTTP_INTERNAL, REASON_INTERNAL, FAILURE_TRANSPORT },
        };

        assert_int_equal(ELEMENTSOF(rows), _HTTP_PROBLEM_MAX - 1);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(of_problem(rows[i].problem, 0, false), rows[i].reason);
                assert_int_equal(reason_class(rows[i].reason), rows[i].class);
        }
}

static void who_closes_behind_the_handshake_means_it(void **state) {
        assert_int_equal(of_problem(HTTP_CLOSED, 5, false), REASON_REGISTRY_CLOSED);
        assert_int_equal(of_problem(HTTP_CLOSED, 0, true), REASON_REGISTRY_CLOSED);
        assert_int_equal(of_problem(HTTP_BROKEN, 5, false), REASON_CONNECTION_LOST);
}

static Reason of_status(int status, const char *retry_after, const char *body, usec_t expected_wait) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, body);
        _cleanup_(words_done) Words w = {};
        _cleanup_failure_ Failure *f = NULL;

        if (retry_after)
                set_text(&a.retry_after, retry_after);
        set_text(&a.date, NOW_DATE);
        assert_int_equal(words_read(&a, NULL, 0, &w), 0);
        assert_int_equal(http_failure_of_status(&a, STEP_EXCHANGE, "quay.example.com", &w, &f), 0);
        assert_int_equal(f->http_status, status);
        assert_int_equal(f->retry_after, expected_wait);
        assert_true(streq_ptr(f->words, w.text));
        return f->reason;
}

static void statuses_mean_the_same_at_every_door(void **state) {
        static const struct {
                int status;
                Reason reason;
        } rows[] = {
                { 300, REASON_REGISTRY_REDIRECTED },
                { 399, REASON_REGISTRY_REDIRECTED },
                { 299, REASON_ANSWER_MALFORMED },
                { 204, REASON_ANSWER_MALFORMED },
                { 301, REASON_REGISTRY_REDIRECTED },
                { 302, REASON_REGISTRY_REDIRECTED },
                { 304, REASON_REGISTRY_REDIRECTED },
                { 400, REASON_REJECTED },
                { 401, REASON_REJECTED },
                { 403, REASON_REJECTED },
                { 404, REASON_NOT_FOUND },
                { 405, REASON_NOT_FOUND },
                { 418, REASON_REJECTED },
                { 429, REASON_RATE_LIMITED },
                { 500, REASON_REGISTRY_ERROR },
                { 502, REASON_REGISTRY_CLOSED },
                { 503, REASON_REGISTRY_ERROR },
                { 504, REASON_REGISTRY_CLOSED },
                { 599, REASON_REGISTRY_ERROR },
                { 101, REASON_ANSWER_MALFORMED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(of_status(rows[i].status, NULL, "", 0), rows[i].reason);
}

static void who_names_a_wait_limits_the_rate(void **state) {
        assert_int_equal(of_status(429, "7", "<title>Slow down</title>", 7 * USEC_PER_SEC),
                         REASON_RATE_LIMITED);
        assert_int_equal(of_status(503, "7", "", 7 * USEC_PER_SEC), REASON_RATE_LIMITED);
        assert_int_equal(of_status(403, "7", "", 7 * USEC_PER_SEC), REASON_RATE_LIMITED);
        assert_int_equal(of_status(503, "nonsense", "", 0), REASON_REGISTRY_ERROR);
        assert_int_equal(of_status(403, "-3", "", 0), REASON_REJECTED);
        assert_int_equal(of_status(429, "Tue, 24 Nov 2026 00:00:09 GMT", "", 9 * USEC_PER_SEC),
                         REASON_RATE_LIMITED);
}

static void read_only_comes_before_a_wait(void **state) {
        assert_int_equal(of_status(503, NULL, "{\"message\":\"x\",\"is_readonly\":true}", 0),
                         REASON_REGISTRY_READ_ONLY);
        assert_int_equal(of_status(503, "30", "{\"message\":\"x\",\"is_readonly\":true}", 30 * USEC_PER_SEC),
                         REASON_REGISTRY_READ_ONLY);
}

static void skew_is_measured_in_the_middle_of_the_request(void **state) {
        HttpAnswer a = {
                .date = (char *) NOW_DATE,
                .started_boot = 1000 * USEC_PER_SEC,
                .ended_boot = 1004 * USEC_PER_SEC,
        };
        const usec_t now = (usec_t) NOW * USEC_PER_SEC;
        int64_t skew = 0;

        /* Our clock showed the same at second 1002, and half a second was cut off. */
        assert_int_equal(http_skew(&a, 1010 * USEC_PER_SEC, now + 8 * USEC_PER_SEC, &skew), 1);
        assert_int_equal(skew, 500000);
        assert_int_equal(http_skew(&a, 1010 * USEC_PER_SEC, now + 308 * USEC_PER_SEC, &skew), 1);
        assert_int_equal(skew, -299500000);
}

static void without_a_date_or_an_answer_there_is_no_skew(void **state) {
        HttpAnswer a = { .started_boot = 1, .ended_boot = 2 };
        int64_t skew = 7;

        assert_int_equal(http_skew(&a, 3, 4, &skew), 0);
        a.date = (char *) "soon";
        assert_int_equal(http_skew(&a, 3, 4, &skew), 0);
        a.date = (char *) NOW_DATE;
        a.problem = HTTP_BROKEN;
        assert_int_equal(http_skew(&a, 3, 4, &skew), 0);
        assert_int_equal(skew, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_problem_has_a_reason_of_its_class),
                cmocka_unit_test(who_closes_behind_the_handshake_means_it),
                cmocka_unit_test(statuses_mean_the_same_at_every_door),
                cmocka_unit_test(who_names_a_wait_limits_the_rate),
                cmocka_unit_test(read_only_comes_before_a_wait),
                cmocka_unit_test(skew_is_measured_in_the_middle_of_the_request),
                cmocka_unit_test(without_a_date_or_an_answer_there_is_no_skew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
