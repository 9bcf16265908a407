/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WWW-Authenticate: the right challenge, the right address, and no other host. */

#include "draw.h"
#include "worker-fixture.h"
#include "worker/challenge.h"

static void assert_challenge(const char *field, const char *realm, const char *service) {
        _cleanup_(challenge_done) Challenge c = {};

        assert_int_equal(challenge_parse(field, &c), 0);
        assert_string_equal(c.realm, realm);
        assert_true(streq_ptr(c.service, service));
}

static void what_quay_says(void **state) {
        assert_challenge("Bearer realm=\"https://quay.example.com/v2/auth\",service=\"quay.example.com\"",
                         "https://quay.example.com/v2/auth", "quay.example.com");
}

static void forms_that_the_grammar_allows(void **state) {
        assert_challenge("bearer REALM=\"r\"", "r", NULL);
        assert_challenge("Bearer realm=r , service = \"s\" , scope=\"a,b\"", "r", "s");
        assert_challenge(",, Bearer ,realm=\"a\\\"b\\\\c\"", "a\"b\\c", NULL);
        assert_challenge("Bearer service=s,realm=\"https://r?x=y\"", "https://r?x=y", "s");
        assert_challenge("Bearer realm=\"one\", realm=\"two\"", "one", NULL);
        assert_challenge("Bearer realm=\"r\",error=\"invalid, token=1\",service=\"s\"", "r", "s");
}

static void challenges_of_other_schemes_are_passed_over(void **state) {
        assert_challenge("Basic realm=\"b\", Bearer realm=\"r\",service=\"s\"", "r", "s");
        assert_challenge("Basic realm=b, Bearer realm=r", "r", NULL);
        assert_challenge("Negotiate, Bearer realm=\"r\"", "r", NULL);
        assert_challenge("Negotiate YII+/abc==, Bearer realm=\"r\"", "r", NULL);
        assert_challenge("Bearer realm=\"r\", Basic realm=\"b\", service=\"s\"", "r", NULL);
        assert_challenge("Digest realm=\"d\", qop=\"auth, auth-int\", nonce=x, Bearer realm=\"r\"", "r",
                         NULL);
        assert_challenge("Bearer scope=\"x\", Bearer realm=\"r\"", "r", NULL);
}

static void fields_without_a_bearer_challenge(void **state) {
        static const char *const fields[] = {
                "", " , ", "Bearer", "Bearer scope=\"x\"", "Bearerish realm=\"r\"", "Negotiate abc="
        };
        Challenge c = {};

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                assert_int_equal(challenge_parse(fields[i], &c), -ENOENT);
        assert_null(c.realm);
}

static void malformed_fields_are_refused(void **state) {
        static const char *const fields[] = { "Bearer realm=\"open", "realm=\"r\"", "Bearer realm=\"r\\",
                                              "=", "\"Bearer\" realm=x" };
        Challenge c = {};

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                assert_int_equal(challenge_parse(fields[i], &c), -EBADMSG);
        assert_null(c.realm);
}

static void a_user_name_and_password_is_what_is_left(void **state) {
        static const char *const fields[] = { "Basic realm=\"x\"", "basic", "Negotiate, Basic realm=r",
                                              "Basic realm=\"b\", Bearer service=\"no realm\"" };
        Challenge c = {};

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                assert_int_equal(challenge_parse(fields[i], &c), 1);
        assert_null(c.realm);
}

static void any_bytes_end_somehow(void **state) {
        static const char pieces[] = "Bearer realm=\"x\",service= Basic \\\"=,, abc/+";
        Draw d = { 5 };

        for (unsigned i = 0; i < 20000; i++) {
                _cleanup_(challenge_done) Challenge c = {};
                char field[64] = {};
                size_t size = draw_below(&d, sizeof(field));
                int r;

                for (size_t k = 0; k < size; k++)
                        field[k] = draw_below(&d, 20) ? pieces[draw_below(&d, sizeof(pieces) - 1)]
                                                      : (char) (1 + draw_below(&d, 255));
                r = challenge_parse(field, &c);
                assert_true(r == 0 || r == 1 || r == -ENOENT || r == -EBADMSG);
                assert_int_equal(!!c.realm, r == 0);
        }
}

static void assert_url(const char *realm, const char *service, const char *scope, const char *expected) {
        _cleanup_free_ char *url = NULL;
        const Challenge c = { (char *) realm, (char *) service };

        assert_int_equal(challenge_url(&c, scope, &url), 0);
        assert_string_equal(url, expected);
}

static void the_address_carries_service_and_scope(void **state) {
        assert_url("https://q/v2/auth", "q:8443", "repository:a/b:pull",
                   "https://q/v2/auth?service=q%3A8443&scope=repository%3Aa%2Fb%3Apull");
        assert_url("https://q/v2/auth", NULL, "s", "https://q/v2/auth?scope=s");
        assert_url("https://q/v2/auth?a=b", "s", "s", "https://q/v2/auth?a=b&service=s&scope=s");
        assert_url("https://q/auth#frag", "s", "s", "https://q/auth?service=s&scope=s");
        assert_url("https://q/auth#?x", NULL, "s", "https://q/auth?scope=s");
        assert_url("https://q/auth", "s", NULL, "https://q/auth?service=s");
        assert_url("https://q/auth?a=b", "s", NULL, "https://q/auth?a=b&service=s");
        assert_url("https://q/auth", NULL, NULL, "https://q/auth");
}

static void nothing_in_it_can_add_a_parameter(void **state) {
        assert_url("https://q", "a&scope=x#\xc3\xa4 %", "-._~",
                   "https://q?service=a%26scope%3Dx%23%C3%A4%20%25&scope=-._~");
}

static bool is_at(const char *realm, const char *registry) {
        const Challenge c = { (char *) realm, NULL };

        return challenge_is_at(&c, registry);
}

static void the_registry_itself_is_at_itself(void **state) {
        assert_true(is_at("https://quay.example.com/v2/auth", "quay.example.com"));
        assert_true(is_at("https://quay.example.com", "quay.example.com"));
        assert_true(is_at("HTTPS://Quay.Example.COM?x", "quay.example.com"));
        assert_true(is_at("https://quay.example.com:8443/v2/auth", "quay.example.com:8443"));
        assert_true(is_at("https://quay.example.com:9000/auth", "quay.example.com:8443"));
        assert_true(is_at("https://quay.example.com/auth", "quay.example.com:8443"));
        assert_true(is_at("https://[2001:db8::1]:8443/auth", "[2001:db8::1]:8443"));
        assert_true(is_at("https://127.0.0.1:1/auth", "127.0.0.1:2"));
}

static void nobody_else_is(void **state) {
        static const char *const realms[] = {
                "http://quay.example.com/v2/auth",
                "https://quay.example.com.evil.net/",
                "https://quay.example.co",
                "https://evil.net/quay.example.com",
                "https://quay.example.com@evil.net/",
                "https://quay.example.com:443@evil.net/",
                "https://user@quay.example.com/",
                "https://quay.example.com:/",
                "https://quay.example.com:port/",
                "https://quay.example.com\\@evil.net/",
                "https://quay.example.com\t/",
                "https:///quay.example.com",
                "https:quay.example.com",
                "//quay.example.com/",
                "/v2/auth",
                "",
        };

        for (size_t i = 0; i < ELEMENTSOF(realms); i++)
                assert_false(is_at(realms[i], "quay.example.com"));
        assert_false(is_at("https://[2001:db8::2]/", "[2001:db8::1]"));
        assert_false(is_at("https://[2001:db8::1", "[2001:db8::1]"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_quay_says),
                cmocka_unit_test(forms_that_the_grammar_allows),
                cmocka_unit_test(challenges_of_other_schemes_are_passed_over),
                cmocka_unit_test(fields_without_a_bearer_challenge),
                cmocka_unit_test(malformed_fields_are_refused),
                cmocka_unit_test(a_user_name_and_password_is_what_is_left),
                cmocka_unit_test(any_bytes_end_somehow),
                cmocka_unit_test(the_address_carries_service_and_scope),
                cmocka_unit_test(nothing_in_it_can_add_a_parameter),
                cmocka_unit_test(the_registry_itself_is_at_itself),
                cmocka_unit_test(nobody_else_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
