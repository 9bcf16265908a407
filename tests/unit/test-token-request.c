/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TokenRequest: what is sent to the byte, and what each answer of an API server means. */

#include "worker-fixture.h"
#include "worker/token-request.h"

static const TokenRequest plain = {
        .server = "https://api.example.com:6443/",
        .namespace = "edge",
        .service_account = "quay-puller",
        .audience = "quay",
        .seconds = 600,
};

static void the_call_is_addressed(void **state) {
        TokenRequest odd = plain;
        _cleanup_free_ char *url = NULL, *escaped = NULL;

        assert_int_equal(token_request_url(&plain, &url), 0);
        assert_string_equal(
                url, "https://api.example.com:6443/api/v1/namespaces/edge/serviceaccounts/quay-puller/"
                     "token");
        odd.server = "https://rancher.example.com/k8s/clusters/c-1";
        odd.namespace = "a/b?";
        assert_int_equal(token_request_url(&odd, &escaped), 0);
        assert_string_equal(escaped,
                            "https://rancher.example.com/k8s/clusters/c-1/api/v1/namespaces/a%2Fb%3F/"
                            "serviceaccounts/quay-puller/token");
}

static void assert_body(const char *bound_object, const char *expected) {
        TokenRequest q = plain;
        _cleanup_free_ char *body = NULL;

        q.bound_object = bound_object;
        assert_int_equal(token_request_body(&q, &body), 0);
        assert_string_equal(body, expected);
}

#define SPEC "{\"spec\":{\"audiences\":[\"quay\"],\"expirationSeconds\":600"
#define KIND "},\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\"}"

static void what_is_sent(void **state) {
        assert_body(NULL, SPEC KIND);
        assert_body("Node/edge-1", SPEC ",\"boundObjectRef\":{\"kind\":\"Node\",\"apiVersion\":\"v1\","
                                        "\"name\":\"edge-1\"}" KIND);
        assert_body("Pod/a/0b1c",
                    SPEC ",\"boundObjectRef\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"name\":\"a\","
                         "\"uid\":\"0b1c\"}" KIND);
}

static Failure *read_answer(int status, const char *body, Secret **ret) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, body);
        _cleanup_secret_ Secret *asker = NULL;
        Failure *f = NULL;
        int r;

        assert_int_equal(secret_new_string("a long enough token", &asker), 0);
        r = token_request_read(&plain, "api.example.com", &a, asker, ret, &f);
        assert_int_equal(r, f ? 1 : 0);
        return f;
}

static void the_token_is_found(void **state) {
        _cleanup_secret_ Secret *token = NULL, *other = NULL;

        assert_null(
                read_answer(201, "{\"spec\":{\"token\":\"no\"},\"status\":{\"token\":\"a.b.c\"}}", &token));
        assert_string_equal(text_of(token), "a.b.c");
        assert_null(read_answer(200, "{\"status\":{\"token\":\"d.e.f\"}}", &other));
}

static void assert_refusal(int status, const char *body, Reason reason, const char *hint,
                           const char *words) {
        Secret *token = NULL;
        _cleanup_failure_ Failure *f = read_answer(status, body, &token);

        assert_non_null(f);
        assert_int_equal(f->reason, reason);
        assert_int_equal(f->step, STEP_IDENTITY);
        assert_non_null(strstr(failure_hint(f), hint));
        assert_true(streq_ptr(f->words, words));
        assert_null(token);
}

static void each_refusal_has_its_remedy(void **state) {
        assert_refusal(403, "{\"kind\":\"Status\",\"message\":\"cannot create resource\",\"code\":403}",
                       REASON_IDENTITY_SOURCE_REFUSED, "serviceaccounts/token", "cannot create resource");
        assert_refusal(401, "{\"kind\":\"Status\",\"message\":\"Unauthorized\"}",
                       REASON_IDENTITY_SOURCE_REFUSED, "TokenFile=", "Unauthorized");
        assert_refusal(401, "{\"message\":\"bad token: a long enough token\"}",
                       REASON_IDENTITY_SOURCE_REFUSED, "TokenFile=", NULL);
        assert_refusal(404, "", REASON_IDENTITY_SOURCE_REFUSED, "'quay-puller'", NULL);
        assert_refusal(409, "", REASON_IDENTITY_SOURCE_REFUSED, "BoundObject=", NULL);
        assert_refusal(422, "", REASON_IDENTITY_SOURCE_REFUSED, "Lifetime=", NULL);
        assert_refusal(500, "", REASON_IDENTITY_SOURCE_FAILED, "", NULL);
        assert_refusal(429, "", REASON_RATE_LIMITED, "Wait", NULL);
}

static void answers_without_a_token(void **state) {
        static const char *const bodies[] = { "",
                                              "<html>",
                                              "[]",
                                              "{}",
                                              "{\"token\":\"a.b.c\"}",
                                              "{\"status\":\"a\"}",
                                              "{\"status\":{}}",
                                              "{\"status\":{\"token\":\"\"}}",
                                              "{\"status\":{\"token\":\"a b\"}}" };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++)
                assert_refusal(201, bodies[i], REASON_IDENTITY_SOURCE_FAILED, "", NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_call_is_addressed),   cmocka_unit_test(what_is_sent),
                cmocka_unit_test(the_token_is_found),      cmocka_unit_test(each_refusal_has_its_remedy),
                cmocka_unit_test(answers_without_a_token),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
