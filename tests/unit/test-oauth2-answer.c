/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a token service says to a token exchange. */

#include "worker-fixture.h"
#include "worker/exchange/oauth2-answer.h"

static const Oauth2Question question = {
        .server = "sts.example.com",
        .user = "oauth2accesstoken",
        .now = (usec_t) NOW * USEC_PER_SEC,
};

static void a_token_is_a_credential_for_as_long_as_is_said(void **state) {
        static const struct {
                const char *body;
                int64_t lifetime;
                size_t notices;
        } rows[] = {
                { "{\"access_token\":\"opaque\",\"expires_in\":3600}", 3600, 0 },
                { "{\"access_token\":\"opaque\",\"expires_in\":3600,\"token_type\":\"N_A\"}", 3600, 0 },
                { "{\"access_token\":\"opaque\"}", 600, 1 },
                { "{\"access_token\":\"opaque\",\"expires_in\":-1}", 600, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(answer_done) HttpAnswer a = answer_of(200, rows[i].body);
                _cleanup_credential_ Credential *c = NULL;
                _cleanup_strv_ char **notices = NULL;
                _cleanup_failure_ Failure *f = NULL;

                assert_int_equal(oauth2_answer_read(&question, &a, &c, &f, &notices), 0);
                assert_string_equal(c->user, "oauth2accesstoken");
                assert_string_equal(text_of(c->secret), "opaque");
                assert_int_equal(c->expires - c->issued, rows[i].lifetime);
                assert_int_equal(c->issued, NOW);
                assert_int_equal(strv_length(notices), rows[i].notices);
        }
}

static void success_without_a_token_is_malformed(void **state) {
        static const char *const bodies[] = { "",
                                              "ok",
                                              "[]",
                                              "{}",
                                              "{\"access_token\":7}",
                                              "{\"access_token\":\"\"}",
                                              "{\"access_token\":\"two words\"}",
                                              "{\"access_token\":\"\\u0000\"}" };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(answer_done) HttpAnswer a = answer_of(200, bodies[i]);
                _cleanup_failure_ Failure *f = NULL;
                Credential *c = NULL;
                char **notices = NULL;

                assert_int_equal(oauth2_answer_read(&question, &a, &c, &f, &notices), 1);
                assert_int_equal(f->reason, REASON_ANSWER_MALFORMED);
                assert_non_null(strstr(failure_hint(f), "[Exchange]"));
        }
}

static void no_hint_is_about_another_party(void **state) {
        static const struct {
                int status;
                const char *body;
                Reason reason;
        } rows[] = {
                { 400, "{\"error\":\"invalid_grant\"}", REASON_IDENTITY_REJECTED },
                { 400, "{\"error\":\"invalid_request\"}", REASON_IDENTITY_REJECTED },
                { 400, "{\"error\":\"invalid_target\"}", REASON_REJECTED },
                { 401, "{\"error\":\"invalid_client\"}", REASON_REJECTED },
                { 403, "no", REASON_REJECTED },
                { 404, "", REASON_NOT_FOUND },
                { 429, "{\"error\":\"invalid_grant\"}", REASON_RATE_LIMITED },
                { 500, "", REASON_REGISTRY_ERROR },
                { 502, "", REASON_REGISTRY_CLOSED },
                { 301, "", REASON_REGISTRY_REDIRECTED },
                { 204, "", REASON_ANSWER_MALFORMED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(answer_done) HttpAnswer a = answer_of(rows[i].status, rows[i].body);
                _cleanup_failure_ Failure *f = NULL;

                assert_ok(oauth2_refusal_read(&question, &a, &f));
                assert_int_equal(f->reason, rows[i].reason);
                assert_int_equal(f->step, STEP_EXCHANGE);
                assert_non_null(f->hint);
                assert_null(strstr(f->hint, "Registry="));
        }
}

static void every_way_of_getting_no_answer_has_a_hint_of_its_own(void **state) {
        for (HttpProblem p = HTTP_OK + 1; p < _HTTP_PROBLEM_MAX; p++) {
                HttpAnswer a = { .problem = p };
                _cleanup_failure_ Failure *f = NULL;

                assert_ok(oauth2_refusal_of_problem(&question, &a, &f));
                assert_null(strstr(failure_hint(f), "Registry="));
                assert_null(strstr(failure_hint(f), "Quay"));
        }
}

static void a_code_is_known_also_where_the_words_repeat_a_secret(void **state) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(
                400, "{\"error\":\"invalid_grant\",\"error_description\":\"got subjecttokensubjecttoken\"}");
        _cleanup_secret_ Secret *token = NULL;
        _cleanup_failure_ Failure *f = NULL;
        Oauth2Question q = question;

        assert_int_equal(secret_new_string("subjecttokensubjecttoken", &token), 0);
        q.sent = (const Secret *const[]){ token };
        q.n_sent = 1;
        assert_ok(oauth2_refusal_read(&q, &a, &f));
        assert_int_equal(f->reason, REASON_IDENTITY_REJECTED);
        assert_null(f->words);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_token_is_a_credential_for_as_long_as_is_said),
                cmocka_unit_test(success_without_a_token_is_malformed),
                cmocka_unit_test(no_hint_is_about_another_party),
                cmocka_unit_test(every_way_of_getting_no_answer_has_a_hint_of_its_own),
                cmocka_unit_test(a_code_is_known_also_where_the_words_repeat_a_secret),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
