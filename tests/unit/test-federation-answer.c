/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What Quay's API answers to a question about a federation: a federation, or a failure with a way out. */

#include "federation-fixture.h"
#include "worker-fixture.h"
#include "worker/federation/answer.h"

#define TOKEN "0831f5b66037293dd187530c9a83"
#define TITLE "<html><title>nginx</title></html>"

static FederationRequest request(void) {
        FederationRequest q = { .registry = strdup("quay.example.com"), .robot = strdup("acme+edge") };

        assert_int_equal(secret_new_string(TOKEN, &q.token), 0);
        return q;
}

typedef struct Row {
        int status;
        const char *body;
        Reason reason;
        const char *in_message, *in_hint;
} Row;

static const Row rows[] = {
        { 401, "{\"message\":\"no\"}", REASON_REJECTED, "does not accept the OAuth token", "org:admin" },
        { 401, TITLE, REASON_REJECTED, "quay.example.com", "org:admin" },
        { 403, "{\"error_message\":\"Unauthorized\"}", REASON_REJECTED, "acme+edge", "org:admin" },
        { 404, "{\"message\":\"no\"}", REASON_ROBOT_UNKNOWN, "acme+edge", "Robot=" },
        { 404, "{\"error\":\"no\"}", REASON_ROBOT_UNKNOWN, "acme+edge", "Robot=" },
        { 404, TITLE, REASON_NOT_FOUND, "no federation", "3.13" },
        { 405, TITLE, REASON_NOT_FOUND, "no federation", "3.13" },
        { 400, "{\"error_message\":\"Could not find robot with specified username\"}", REASON_ROBOT_UNKNOWN,
          "acme+edge", "Robot=" },
        { 400, "{\"error_message\":\"Duplicate federation config entry\"}", REASON_REJECTED, "acme+edge",
          "twice" },
        { 302, "", REASON_REGISTRY_REDIRECTED, "redirects", "Registry=" },
        { 429, "", REASON_RATE_LIMITED, "left alone", "Wait" },
        { 500, TITLE, REASON_REGISTRY_ERROR, "failed", "Try again" },
        { 502, TITLE, REASON_REGISTRY_CLOSED, "front end", "Try again" },
        { 503, "{\"message\":\"m\",\"is_readonly\":true}", REASON_REGISTRY_READ_ONLY, "read-only", "Wait" },
        { 204, "", REASON_ANSWER_MALFORMED, "makes no sense", "Registry=" },
        { 200, "", REASON_ANSWER_MALFORMED, "is no JSON array", "Registry=" },
        { 200, "[{}]", REASON_ANSWER_MALFORMED, "has an entry that is none", "Registry=" },
        { 200, "[{\"issuer\":\"i\",\"subject\":\"s\",\"claims\":{}}]", REASON_ANSWER_MALFORMED,
          "more in it than", "Registry=" },
};

static void each_refusal_has_its_reason_and_its_way_out(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(federation_request_done) FederationRequest q = request();
                _cleanup_(answer_done) HttpAnswer a = answer_of(rows[i].status, rows[i].body);
                _cleanup_failure_ Failure *f = NULL;
                Federation none = {};

                assert_int_equal(federation_answer_judge(&q, &a, &none, &f), 1);
                assert_null(none.items);
                assert_int_equal(f->reason, rows[i].reason);
                assert_int_equal(f->http_status, rows[i].status);
                assert_non_null(strstr(f->message, rows[i].in_message));
                assert_non_null(strstr(failure_hint(f), rows[i].in_hint));
        }
}

static void a_federation_is_read(void **state) {
        static const int well[] = { 200, 201 };

        for (size_t i = 0; i < ELEMENTSOF(well); i++) {
                _cleanup_(federation_request_done) FederationRequest q = request();
                _cleanup_(answer_done) HttpAnswer a =
                        answer_of(well[i], "[{\"issuer\":\"i\",\"subject\":\"s\"}]");
                _cleanup_(federation_done) Federation read = {};
                Failure *f = NULL;

                assert_int_equal(federation_answer_judge(&q, &a, &read, &f), 0);
                assert_federation(&read, "[{\"issuer\":\"i\",\"subject\":\"s\"}]");
                assert_null(f);
        }
}

static void words_that_repeat_the_token_are_not_shown(void **state) {
        _cleanup_(federation_request_done) FederationRequest q = request();
        _cleanup_(answer_done) HttpAnswer a = answer_of(403, "{\"message\":\"not with Bearer " TOKEN "\"}");
        _cleanup_failure_ Failure *f = NULL;
        Federation none = {};

        assert_int_equal(federation_answer_judge(&q, &a, &none, &f), 1);
        assert_null(f->words);
}

static void no_answer_has_its_way_out_too(void **state) {
        static const struct {
                HttpProblem problem;
                const char *in_hint;
        } problems[] = {
                { HTTP_RESOLVE, "host name" },  { HTTP_CONNECT, "Proxy=" },
                { HTTP_TIMEOUT, "--timeout=" }, { HTTP_CLOSED, "try again" },
                { HTTP_BROKEN, "try again" },   { HTTP_TLS_UNTRUSTED, "CAFile=" },
                { HTTP_TLS_HOST, "Registry=" }, { HTTP_TLS_DATES, "timedatectl" },
                { HTTP_TLS_OTHER, "TLS 1.2" },  { HTTP_TOO_LARGE, "Registry=" },
        };

        for (size_t i = 0; i < ELEMENTSOF(problems); i++) {
                _cleanup_(federation_request_done) FederationRequest q = request();
                HttpAnswer a = { .problem = problems[i].problem };
                _cleanup_failure_ Failure *f = NULL;
                Federation none = {};

                assert_int_equal(federation_answer_judge(&q, &a, &none, &f), 1);
                assert_non_null(strstr(f->message, "quay.example.com"));
                assert_non_null(strcasestr(failure_hint(f), problems[i].in_hint));
        }
}

static void the_address_is_that_of_the_robot_account(void **state) {
        _cleanup_(federation_request_done) FederationRequest q = request();
        _cleanup_free_ char *url = NULL;

        assert_int_equal(federation_url(&q, &url), 0);
        assert_string_equal(url, "https://quay.example.com/api/v1/organization/acme/robots/edge/federation");
}

static const char *hint_behind(int status, bool taken, Failure **f) {
        assert_int_equal(failure_new(f, STEP_CONFIGURATION, REASON_REJECTED, "m"), 0);
        (*f)->http_status = status;
        assert_int_equal(federation_leave_open(*f, taken), 0);
        return failure_hint(*f);
}

static void what_became_of_a_write_is_left_open_where_it_is(void **state) {
        static const struct {
                int status;
                bool taken, open;
        } cases[] = {
                { 0, false, true },    { 200, false, true }, { 403, false, false },
                { 302, false, false }, { 502, false, true }, { 403, true, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_failure_ Failure *f = NULL;
                const char *hint = hint_behind(cases[i].status, cases[i].taken, &f);

                assert_int_equal(startswith(hint, "It may be set all the same") != NULL, cases[i].open);
                assert_non_null(strstr(hint, reason_hint(REASON_REJECTED)));
        }
}

static void what_others_did_meanwhile_says_to_look_again(void **state) {
        _cleanup_(federation_request_done) FederationRequest q = request();
        _cleanup_failure_ Failure *changed = NULL, *lost = NULL;

        assert_int_equal(federation_changed_meanwhile(&q, &changed), 1);
        assert_int_equal(federation_not_kept(&q, &lost), 1);
        assert_non_null(strstr(changed->message, "nothing was changed"));
        assert_non_null(strstr(failure_hint(changed), "again"));
        assert_non_null(strstr(failure_hint(lost), "again"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_refusal_has_its_reason_and_its_way_out),
                cmocka_unit_test(a_federation_is_read),
                cmocka_unit_test(words_that_repeat_the_token_are_not_shown),
                cmocka_unit_test(no_answer_has_its_way_out_too),
                cmocka_unit_test(the_address_is_that_of_the_robot_account),
                cmocka_unit_test(what_became_of_a_write_is_left_open_where_it_is),
                cmocka_unit_test(what_others_did_meanwhile_says_to_look_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
