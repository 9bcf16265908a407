/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an OIDC issuer says: its discovery document, if it is its own, and a token, if there is one. */

#include "worker-fixture.h"
#include "worker/oidc-answer.h"

#define ISSUER "https://issuer.example.com/realms/edge"
#define SERVER "issuer.example.com"

static void assert_url(const char *issuer, const char *expected) {
        _cleanup_free_ char *url = NULL;

        assert_int_equal(oidc_discovery_url(issuer, &url), 0);
        assert_string_equal(url, expected);
}

static void the_document_lies_below_the_issuer(void **state) {
        assert_url("https://i", "https://i/.well-known/openid-configuration");
        assert_url("https://i/", "https://i/.well-known/openid-configuration");
        assert_url("https://i/a", "https://i/a/.well-known/openid-configuration");
        assert_url("https://i/a/", "https://i/a/.well-known/openid-configuration");
}

static Failure *read_discovery(const char *body, OidcIssuer *ret) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(200, body);
        Failure *f = NULL;
        int r;

        r = oidc_read_discovery(ISSUER, SERVER, &a, ret, &f);
        assert_int_equal(r, f ? 1 : 0);
        return f;
}

static void endpoints_and_methods_are_found(void **state) {
        _cleanup_(oidc_issuer_done) OidcIssuer i = {}, plain = {};

        assert_null(read_discovery("{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"https://t\","
                                   "\"mtls_endpoint_aliases\":{\"token_endpoint\":\"https://m\"},"
                                   "\"token_endpoint_auth_methods_supported\":[\"a\",5,\"b\",\"c d\"]}",
                                   &i));
        assert_string_equal(i.token_endpoint, "https://t");
        assert_string_equal(i.mutual_tls_endpoint, "https://m");
        assert_string_equal(i.authentication, "a, b");
        assert_null(
                read_discovery("{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"https://t\","
                               "\"mtls_endpoint_aliases\":[],\"token_endpoint_auth_methods_supported\":[]}",
                               &plain));
        assert_null(plain.mutual_tls_endpoint);
        assert_null(plain.authentication);
}

static void assert_no_discovery(const char *body, Reason reason, const char *says) {
        OidcIssuer i = {};
        _cleanup_failure_ Failure *f = read_discovery(body, &i);

        assert_non_null(f);
        assert_int_equal(f->reason, reason);
        assert_int_equal(f->step, STEP_IDENTITY);
        assert_non_null(strstr(f->message, says));
        assert_null(i.token_endpoint);
}

static void documents_that_are_none_or_another_s(void **state) {
        assert_no_discovery("<html>", REASON_IDENTITY_SOURCE_FAILED, "not in JSON");
        assert_no_discovery("[]", REASON_IDENTITY_SOURCE_FAILED, "not in JSON");
        assert_no_discovery("", REASON_IDENTITY_SOURCE_FAILED, "not in JSON");
        assert_no_discovery("{}", REASON_IDENTITY_SOURCE_FAILED, "names no issuer");
        assert_no_discovery("{\"issuer\":\"" ISSUER "\"}", REASON_IDENTITY_SOURCE_FAILED,
                            "no token endpoint");
        assert_no_discovery("{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"a b\"}",
                            REASON_IDENTITY_SOURCE_FAILED, "no token endpoint");
        assert_no_discovery("{\"issuer\":\"" ISSUER "/\",\"token_endpoint\":\"https://t\"}",
                            REASON_IDENTITY_SOURCE_REFUSED, "'" ISSUER "/'");
        assert_no_discovery("{\"issuer\":\"https://evil.example\",\"token_endpoint\":\"https://t\"}",
                            REASON_IDENTITY_SOURCE_REFUSED, "https://evil.example");
}

static Failure *read_token(const char *member, const char *body, Secret **ret) {
        _cleanup_(answer_done) HttpAnswer a = answer_of(200, body);
        Failure *f = NULL;
        int r;

        r = oidc_read_token(SERVER, member, &a, ret, &f);
        assert_int_equal(r, f ? 1 : 0);
        return f;
}

static void the_token_that_was_asked_for_is_taken(void **state) {
        static const char body[] =
                "{\"access_token\":\"a.b.c\",\"id_token\":\"d.e.f\",\"token_type\":\"Bearer\"}";
        _cleanup_secret_ Secret *access = NULL, *id = NULL;

        assert_null(read_token("access_token", body, &access));
        assert_string_equal(text_of(access), "a.b.c");
        assert_null(read_token("id_token", body, &id));
        assert_string_equal(text_of(id), "d.e.f");
}

static void answers_without_one(void **state) {
        static const char *const bodies[] = { "",
                                              "null",
                                              "{",
                                              "{}",
                                              "{\"access_token\":\"\"}",
                                              "{\"access_token\":null}",
                                              "{\"access_token\":5}",
                                              "{\"access_token\":\"a b\"}",
                                              "{\"access_token\":\"a\\u0000b\"}" };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_failure_ Failure *f = NULL;
                Secret *token = NULL;

                f = read_token("access_token", bodies[i], &token);
                assert_non_null(f);
                assert_int_equal(f->reason, REASON_IDENTITY_SOURCE_FAILED);
                assert_null(token);
        }
}

static void without_an_id_token_it_is_said_how_to_get_one(void **state) {
        Secret *token = NULL;
        _cleanup_failure_ Failure *f = read_token("id_token", "{\"access_token\":\"a.b.c\"}", &token);

        assert_non_null(strstr(f->message, "ID token"));
        assert_non_null(strstr(failure_hint(f), "IdToken=no"));
        assert_null(strstr(f->message, "a.b.c"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_document_lies_below_the_issuer),
                cmocka_unit_test(endpoints_and_methods_are_found),
                cmocka_unit_test(documents_that_are_none_or_another_s),
                cmocka_unit_test(the_token_that_was_asked_for_is_taken),
                cmocka_unit_test(answers_without_one),
                cmocka_unit_test(without_an_id_token_it_is_said_how_to_get_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
