/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A masked auth.json tells what there is and gives nothing away. */

#include "base/text.h"
#include "model/auth-mask.h"
#include "unit.h"

static void check(const char *text, const char *wanted) {
        _cleanup_free_ char *masked = NULL;
        JsonError error = {};

        assert_int_equal(auth_mask(text, strlen(text), &masked, &error), 0);
        assert_string_equal(masked, wanted);
}

static void secrets_are_hidden_and_the_rest_is_as_it_was(void **state) {
        check("{\n\t\"auths\": {\n\t\t\"quay.io/acme\": { \"auth\": \"c2VjcmV0\" },\n"
              "\t\t\"docker.io\": {\"identitytoken\":\"tok\",\"email\" : null}\n\t}\n}\n",
              "{\n\t\"auths\": {\n\t\t\"quay.io/acme\": { \"auth\": \"(hidden)\" },\n"
              "\t\t\"docker.io\": {\"identitytoken\":\"(hidden)\",\"email\" : null}\n\t}\n}\n");
}

static void what_is_not_known_is_hidden_wherever_it_stands(void **state) {
        check("{\"auths\":{\"a\":{\"auth\":\"x\",\"new\":[\"s\",{\"deep\":\"s\"},-1.5e+3,true],"
              "\"pin\":1234}}}",
              "{\"auths\":{\"a\":{\"auth\":\"(hidden)\",\"new\":[\"(hidden)\",{\"deep\":\"(hidden)\"},"
              "\"(hidden)\",true],\"pin\":\"(hidden)\"}}}");
        check("{\"HttpHeaders\":{\"Authorization\":\"Bearer s\"},\"proxies\":{\"x\":{\"httpProxy\":\"s\"}}}",
              "{\"HttpHeaders\":{\"Authorization\":\"(hidden)\"},"
              "\"proxies\":{\"x\":{\"httpProxy\":\"(hidden)\"}}}");
}

static void names_of_helpers_are_shown(void **state) {
        check("{\"credsStore\":\"pass\",\"credHelpers\":{\"quay.io\":\"vault\"},\"x\":\"s\"}",
              "{\"credsStore\":\"pass\",\"credHelpers\":{\"quay.io\":\"vault\"},\"x\":\"(hidden)\"}");
        check("{\"cr\\u0065dsStore\":\"pass\"}", "{\"cr\\u0065dsStore\":\"pass\"}");
        check("{\"auths\":{\"credsStore\":{\"auth\":\"s\"},\"credHelpers\":\"s\"}}",
              "{\"auths\":{\"credsStore\":{\"auth\":\"(hidden)\"},\"credHelpers\":\"(hidden)\"}}");
        check("{\"credsStore\":{\"a\":\"s\"},\"credHelpers\":{\"a\":{\"b\":\"s\"}}}",
              "{\"credsStore\":{\"a\":\"(hidden)\"},\"credHelpers\":{\"a\":{\"b\":\"(hidden)\"}}}");
        check("{\"credHelpers\":{},\"auths\":{\"credsStore\":\"s\"}}",
              "{\"credHelpers\":{},\"auths\":{\"credsStore\":\"(hidden)\"}}");
}

static void keys_give_no_password_away(void **state) {
        check("{\"auths\":{\"https://user:pass@quay.io\":{},\"user:p\\u0040ss\\u0040host/\\\"x\":{}}}",
              "{\"auths\":{\"(hidden)@quay.io\":{},\"(hidden)@host/\\\"x\":{}}}");
        check("{\"a\\/b\\u00e9\":null}", "{\"a\\/b\\u00e9\":null}");
}

static void strings_end_where_they_end(void **state) {
        check("{\"a\":\"s\\\"\\\\\",\"b\":\"\\\\\"}", "{\"a\":\"(hidden)\",\"b\":\"(hidden)\"}");
        check("{\"a\":\":\",\"b\":\"x\" ,\"c\"\n:\"y\"}",
              "{\"a\":\"(hidden)\",\"b\":\"(hidden)\" ,\"c\"\n:\"(hidden)\"}");
}

static void values_that_are_no_objects_are_hidden_too(void **state) {
        check("\"s\"", "\"(hidden)\"");
        check(" [1, \"s\"] ", " [\"(hidden)\", \"(hidden)\"] ");
        check("0", "\"(hidden)\"");
}

static void nothing_gives_nothing(void **state) {
        check("", "");
        check(" \n", "");
}

static void what_is_not_json_is_refused(void **state) {
        static const char *const texts[] = { "{", "{\"auths\":{\"a\":{\"auth\":s3cret}}}",
                                             "{\"a\":1,\"a\":2}", "{} x" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                JsonError error = {};
                char *masked = NULL;

                assert_int_equal(auth_mask(texts[i], strlen(texts[i]), &masked, &error), -EBADMSG);
                assert_null(masked);
                assert_true(error.line == 1 && error.what);
        }
}

static void the_end_is_where_the_size_says(void **state) {
        _cleanup_free_ char *masked = NULL;
        JsonError error = {};

        assert_int_equal(auth_mask("{\"a\":\"b\"}:", 9, &masked, &error), 0);
        assert_string_equal(masked, "{\"a\":\"(hidden)\"}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(secrets_are_hidden_and_the_rest_is_as_it_was),
                cmocka_unit_test(what_is_not_known_is_hidden_wherever_it_stands),
                cmocka_unit_test(names_of_helpers_are_shown),
                cmocka_unit_test(keys_give_no_password_away),
                cmocka_unit_test(strings_end_where_they_end),
                cmocka_unit_test(values_that_are_no_objects_are_hidden_too),
                cmocka_unit_test(nothing_gives_nothing),
                cmocka_unit_test(what_is_not_json_is_refused),
                cmocka_unit_test(the_end_is_where_the_size_says),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
