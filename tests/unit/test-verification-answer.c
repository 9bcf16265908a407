/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the registry's token endpoint says about a new credential. */

#include "worker-fixture.h"
#include "worker/verification-answer.h"

#define REGISTRY "quay.example.com"

static void assert_scope(char *const *scopes, const char *text, const char *repository) {
        _cleanup_(verification_scope_done) VerificationScope s = {};

        assert_int_equal(verification_scope_choose(scopes, "acme+edge", &s), 0);
        assert_string_equal(s.text, text);
        assert_true(streq_ptr(s.repository, repository));
}

#define SCOPES(...) ((char *[]){ __VA_ARGS__, NULL })

static void the_first_repository_is_asked_for(void **state) {
        assert_scope(SCOPES((char *) REGISTRY "/acme/app"), "repository:acme/app:pull", "acme/app");
        assert_scope(SCOPES((char *) REGISTRY "/acme", (char *) REGISTRY ":8443/acme/b",
                            (char *) REGISTRY "/acme/c"),
                     "repository:acme/b:pull", "acme/b");
}

static void without_one_any_name_in_the_namespace_does(void **state) {
        assert_scope(SCOPES((char *) REGISTRY "/other"), "repository:other/pullauth-probe:pull", NULL);
        assert_scope(SCOPES((char *) REGISTRY "/acme/deep/path"), "repository:acme/pullauth-probe:pull",
                     NULL);
        assert_scope(SCOPES((char *) REGISTRY), "repository:acme/pullauth-probe:pull", NULL);
        assert_scope(NULL, "repository:acme/pullauth-probe:pull", NULL);
}

typedef struct Outcome {
        int r;
        Challenge challenge;
        Failure *failure;
        char **notices;
} Outcome;

static void outcome_done(Outcome *o) {
        challenge_done(&o->challenge);
        failure_free(o->failure);
        strv_free(o->notices);
}

static Outcome read_challenge(int status, const char *www_authenticate) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, "<title>Words</title>");
        Outcome o = {};

        if (www_authenticate)
                set_text(&a.www_authenticate, www_authenticate);
        o.r = verification_read_challenge(REGISTRY, &a, &o.challenge, &o.failure, &o.notices);
        assert_int_equal(o.r == CHALLENGE_FAILED, !!o.failure);
        assert_int_equal(o.r == CHALLENGE_FOUND, !!o.challenge.realm);
        assert_int_equal(o.r == CHALLENGE_NONE, strv_length(o.notices) == 1);
        return o;
}

static void the_endpoint_is_found_in_the_challenge(void **state) {
        _cleanup_(outcome_done) Outcome o =
                read_challenge(401, "Bearer realm=\"https://quay.example.com/v2/auth\",service=\"s\"");

        assert_int_equal(o.r, CHALLENGE_FOUND);
        assert_string_equal(o.challenge.realm, "https://quay.example.com/v2/auth");
        assert_string_equal(o.challenge.service, "s");
}

static void without_an_endpoint_of_its_own_there_is_nothing_to_try(void **state) {
        static const struct {
                int status;
                const char *www_authenticate, *in_notice;
        } rows[] = {
                { 200, NULL, "everyone" },
                { 401, NULL, "no token endpoint" },
                { 401, "Bearer realm=\"open", "no token endpoint" },
                { 401, "Bearer realm=\"https://evil.example.net/auth\"", "another host" },
                { 401, "Bearer realm=\"http://quay.example.com/auth\"", "another host" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(outcome_done) Outcome o = read_challenge(rows[i].status, rows[i].www_authenticate);

                assert_int_equal(o.r, CHALLENGE_NONE);
                assert_non_null(strstr(o.notices[0], rows[i].in_notice));
                assert_non_null(strstr(o.notices[0], REGISTRY));
        }
}

static void where_there_is_only_basic_authentication_that_is_tried(void **state) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(401, "");
        _cleanup_failure_ Failure *f = NULL;
        Challenge c = {};
        char **notices = NULL;

        set_text(&a.www_authenticate, "Basic realm=\"x\"");
        assert_int_equal(verification_read_challenge(REGISTRY, &a, &c, &f, &notices), CHALLENGE_BASIC);
        assert_null(notices);
}

static void assert_entry(int status, Reason reason) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, "robottokenrobottoken");
        _cleanup_secret_ Secret *secret = NULL;
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(secret_new_string("robottokenrobottoken", &secret), 0);
        const Credential c = { .user = (char *) "u", .secret = secret };

        assert_int_equal(verification_read_entry(REGISTRY, &c, &a, &f), reason != REASON_NONE);
        assert_int_equal(f ? f->reason : REASON_NONE, reason);
        if (f) {
                assert_null(strstr(f->message, "token endpoint"));
                assert_null(f->words);
        }
}

static void the_credential_itself_opens_the_door_or_not(void **state) {
        assert_entry(200, REASON_NONE);
        assert_entry(401, REASON_CREDENTIAL_REFUSED);
        assert_entry(403, REASON_CREDENTIAL_REFUSED);
        assert_entry(500, REASON_REGISTRY_ERROR);
        assert_entry(404, REASON_NOT_FOUND);
}

static void a_registry_in_trouble_fails_the_verification(void **state) {
        static const struct {
                int status;
                Reason reason;
        } rows[] = {
                { 500, REASON_REGISTRY_ERROR },      { 404, REASON_NOT_FOUND },
                { 429, REASON_RATE_LIMITED },        { 403, REASON_REJECTED },
                { 301, REASON_REGISTRY_REDIRECTED }, { 502, REASON_REGISTRY_CLOSED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(outcome_done) Outcome o = read_challenge(rows[i].status, NULL);

                assert_int_equal(o.r, CHALLENGE_FAILED);
                assert_int_equal(o.failure->step, STEP_VERIFICATION);
                assert_int_equal(o.failure->reason, rows[i].reason);
                assert_string_equal(o.failure->words, "Words");
        }
}

static Outcome read_answer(int status, const char *body, const char *repository) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, body);
        const VerificationScope scope = { (char *) "x", (char *) repository };
        _cleanup_secret_ Secret *secret = NULL;
        Outcome o = {};

        assert_int_equal(secret_new_string("robottokenrobottoken", &secret), 0);
        const Credential c = { .user = (char *) "acme+edge", .secret = secret };

        o.r = verification_read_answer(REGISTRY, &c, &scope, &a, &o.failure, &o.notices);
        assert_int_equal(o.r == 1, !!o.failure);
        if (o.failure)
                assert_int_equal(o.failure->step, STEP_VERIFICATION);
        return o;
}

static void a_token_means_that_the_credential_is_good(void **state) {
        static const char *const bodies[] = { "{\"token\":\"x\"}", "{\"access_token\":\"x\"}",
                                              "{\"token\":\"a.b.c\",\"expires_in\":60}" };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(outcome_done) Outcome o = read_answer(200, bodies[i], "acme/app");

                assert_int_equal(o.r, 0);
                assert_null(o.notices);
        }
}

static void success_without_a_token_is_malformed(void **state) {
        static const char *const bodies[] = {
                "", "{}", "[]", "{\"token\":5}", "<html>", "{\"token\":\"torn"
        };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(outcome_done) Outcome o = read_answer(200, bodies[i], NULL);

                assert_int_equal(o.r, 1);
                assert_int_equal(o.failure->reason, REASON_ANSWER_MALFORMED);
        }
}

static size_t n_notices(const char *payload, const char *repository) {
        _cleanup_secret_ Secret *token = token_of(payload);
        char body[1024];

        assert_true(snprintf(body, sizeof(body), "{\"token\":\"%s\"}", text_of(token)) < (int) sizeof(body));
        _cleanup_(outcome_done) Outcome o = read_answer(200, body, repository);

        assert_int_equal(o.r, 0);
        if (o.notices)
                assert_non_null(strstr(o.notices[0], "may not pull quay.example.com/acme/app"));
        return strv_length(o.notices);
}

static void a_missing_permission_is_worth_a_notice(void **state) {
        assert_int_equal(
                n_notices("{\"access\":[{\"type\":\"repository\",\"name\":\"acme/app\",\"actions\":[]}]}",
                          "acme/app"),
                1);
        assert_int_equal(n_notices("{\"access\":[]}", "acme/app"), 1);
        assert_int_equal(
                n_notices("{\"access\":[{\"actions\":[\"pull\"]},{\"name\":null},{\"name\":\"acme/app\"}]}",
                          "acme/app"),
                1);
        assert_int_equal(
                n_notices("{\"access\":[{\"name\":\"acme/b\",\"actions\":[\"pull\"]}]}", "acme/app"), 1);
        assert_int_equal(
                n_notices("{\"access\":[5,{\"name\":\"acme/app\",\"actions\":[5,\"push\"]}]}", "acme/app"),
                1);
}

static void a_permission_is_not(void **state) {
        assert_int_equal(n_notices("{\"access\":[{\"name\":\"acme/app\",\"actions\":[\"push\",\"pull\"]}]}",
                                   "acme/app"),
                         0);
        assert_int_equal(n_notices("{\"access\":[{\"name\":\"acme/app\",\"actions\":[\"*\"]}]}", "acme/app"),
                         0);
        assert_int_equal(n_notices("{\"access\":[]}", NULL), 0);
        assert_int_equal(n_notices("{}", "acme/app"), 0);
        assert_int_equal(n_notices("[]", "acme/app"), 0);
}

#define SAYS(text) "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"detail\":{},\"message\":\"" text "\"}]}"

static void refusals_of_the_credential(void **state) {
        static const struct {
                int status;
                const char *body;
                Reason reason;
                const char *words;
        } rows[] = {
                { 401, SAYS("Robot acme+edge owner acme is disabled"), REASON_CREDENTIAL_REFUSED,
                  "Robot acme+edge owner acme is disabled" },
                { 401, SAYS("Token does not match robot"), REASON_CREDENTIAL_REFUSED,
                  "Token does not match robot" },
                { 401, "", REASON_CREDENTIAL_REFUSED, NULL },
                { 403, SAYS("no"), REASON_CREDENTIAL_REFUSED, "no" },
                { 405, SAYS("Namespace acme has been disabled."), REASON_CREDENTIAL_REFUSED,
                  "Namespace acme has been disabled." },
                { 405, "<title>Method Not Allowed</title>", REASON_NOT_FOUND, "Method Not Allowed" },
                { 400, SAYS("Unable to decode repository and actions: x"), REASON_REJECTED,
                  "Unable to decode repository and actions: x" },
                { 429, "", REASON_RATE_LIMITED, NULL },
                { 500, "<title>Internal Server Error</title>", REASON_REGISTRY_ERROR,
                  "Internal Server Error" },
                { 502, "", REASON_REGISTRY_CLOSED, NULL },
                { 307, "", REASON_REGISTRY_REDIRECTED, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(outcome_done) Outcome o = read_answer(rows[i].status, rows[i].body, NULL);

                assert_int_equal(o.r, 1);
                assert_int_equal(o.failure->reason, rows[i].reason);
                assert_int_equal(o.failure->http_status, rows[i].status);
                assert_true(streq_ptr(o.failure->words, rows[i].words));
        }
}

static void a_500_is_not_blamed_on_the_issuer(void **state) {
        _cleanup_(outcome_done) Outcome o = read_answer(500, "<title>Internal Server Error</title>", NULL);

        assert_non_null(strstr(failure_hint(o.failure), "administrator"));
        assert_null(strstr(failure_hint(o.failure), "issuer"));
        _cleanup_(outcome_done) Outcome other = read_answer(502, "", NULL);

        assert_null(strstr(failure_hint(other.failure), "its own log"));
}

static void a_refusal_that_quotes_the_credential_is_not_quoted(void **state) {
        _cleanup_(outcome_done) Outcome o = read_answer(401, SAYS("got robottokenrobottoken"), NULL);

        assert_int_equal(o.failure->reason, REASON_CREDENTIAL_REFUSED);
        assert_null(o.failure->words);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_repository_is_asked_for),
                cmocka_unit_test(without_one_any_name_in_the_namespace_does),
                cmocka_unit_test(the_endpoint_is_found_in_the_challenge),
                cmocka_unit_test(without_an_endpoint_of_its_own_there_is_nothing_to_try),
                cmocka_unit_test(where_there_is_only_basic_authentication_that_is_tried),
                cmocka_unit_test(the_credential_itself_opens_the_door_or_not),
                cmocka_unit_test(a_registry_in_trouble_fails_the_verification),
                cmocka_unit_test(a_token_means_that_the_credential_is_good),
                cmocka_unit_test(success_without_a_token_is_malformed),
                cmocka_unit_test(a_missing_permission_is_worth_a_notice),
                cmocka_unit_test(a_permission_is_not),
                cmocka_unit_test(refusals_of_the_credential),
                cmocka_unit_test(a_500_is_not_blamed_on_the_issuer),
                cmocka_unit_test(a_refusal_that_quotes_the_credential_is_not_quoted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
