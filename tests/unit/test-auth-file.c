/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Golden bytes of merged files (crun 1.29 wrote other bytes with another JSON library), and that no foreign
 * byte is lost, whatever the file looks like. */

#include "auth-fixture.h"

#define PODMAN_EMPTY "{\n\t\"auths\": {}\n}"
#define PODMAN(members) "{\n\t\"auths\": {\n" members "\n\t}\n}"
#define ENTRY(key, auth) "\t\t\"" key "\": {\n\t\t\t\"auth\": \"" auth "\"\n\t\t}"

static void a_fresh_file_is_what_podman_writes(void **state) {
        static const char expected[] =
                PODMAN(ENTRY("quay.io/a", "QUE=") ",\n" ENTRY("quay.io:443/b/c", "QkI="));
        const char *const *wishes = WISHES("quay.io/a=QUE=", "quay.io:443/b/c=QkI=", "gone");
        _cleanup_free_ char *from_null = merge_text(NULL, 0, wishes);

        assert_string_equal(from_null, expected);
        assert_merged("", wishes, expected);
        assert_merged(" \n\t", wishes, expected);
        assert_merged("{}", wishes, expected);
        assert_merged("{}\n", WISHES("a=QQ=="), PODMAN(ENTRY("a", "QQ==")) "\n");
        assert_merged("", WISHES(NULL), PODMAN_EMPTY);
        assert_merged("", WISHES("gone"), PODMAN_EMPTY);
}

static void a_refresh_changes_the_secret_and_nothing_else(void **state) {
        assert_merged(PODMAN(ENTRY("a", "QQ==") ",\n" ENTRY("b", "Qg==")), WISHES("a=QUFB"),
                      PODMAN(ENTRY("a", "QUFB") ",\n" ENTRY("b", "Qg==")));
        assert_merged("{ \"auths\":{ \"a\" :{ \"auth\" :\t\"QQ==\"\n} } }\n\n", WISHES("a=QUFB"),
                      "{ \"auths\":{ \"a\" :{ \"auth\" :\t\"QUFB\"\n} } }\n\n");
        assert_merged("{\"\\u0061uths\":{\"q\\/\\u0061\":{\"\\u0061uth\":\"\"}}}", WISHES("q/a=QUFB"),
                      "{\"\\u0061uths\":{\"q\\/\\u0061\":{\"auth\":\"QUFB\"}}}");
}

static void what_says_the_same_is_left_alone(void **state) {
        assert_merged("{\"auths\":{\"a\":{\"auth\":\"QUFB\"}}}", WISHES("a=QUFB", "b"), NULL);
        assert_merged("{\"auths\":{\"a\":{\"auth\":\"Q\\/\\u0046B\"}}}", WISHES("a=Q/FB"), NULL);
        assert_merged("{\"x\":1}", WISHES("b"), NULL);
        assert_merged("{\"x\":1}", WISHES(NULL), NULL);
        assert_merged("{\"auths\":{}}", WISHES("b"), NULL);
}

static void an_entry_with_more_than_a_secret_becomes_a_fresh_one(void **state) {
        static const char *const rows[][2] = {
                { "{\"auth\":\"QUFB\",\"identitytoken\":\"x\"}", "{\"auth\":\"QUFB\"}" },
                { "{\"auth\":\"QQ==\",\"email\":\"e\"}", "{\"auth\":\"QUFB\"}" },
                { "{ \"username\": \"u\", \"password\": \"p\" }", "{ \"auth\": \"QUFB\" }" },
                { "{\r\n    \"x\": {},\r\n    \"y\": []\r\n  }", "{\r\n    \"auth\": \"QUFB\"\r\n  }" },
                { "{\"auth\":null}", "{\"auth\":\"QUFB\"}" },
                { "{\"auth\":[\"QUFB\"]}", "{\"auth\":\"QUFB\"}" },
                { "{}", "{\"auth\":\"QUFB\"}" },
                { "{ }", "{\"auth\":\"QUFB\"}" },
                { "null", "{\"auth\":\"QUFB\"}" },
                { "\"QUFB\"", "{\"auth\":\"QUFB\"}" },
                { "[{\"auth\":\"QUFB\"}]", "{\"auth\":\"QUFB\"}" },
                { "-1.5e3", "{\"auth\":\"QUFB\"}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *old = NULL, *expected = NULL;

                assert_ok(text_format(&old, "{\"auths\":{\"a\":%s}}", rows[i][0]));
                assert_ok(text_format(&expected, "{\"auths\":{\"a\":%s}}", rows[i][1]));
                assert_merged(old, WISHES("a=QUFB"), expected);
        }
}

static void new_entries_look_like_their_neighbours(void **state) {
        static const struct {
                const char *old, *merged;
        } rows[] = {
                { "{\"auths\":{\"x\":{\"auth\":\"Q\"}}}",
                  "{\"auths\":{\"x\":{\"auth\":\"Q\"},\"a\":{\"auth\":\"QUFB\"}}}" },
                { "{\"auths\": {\"x\": {\"auth\": \"Q\"}, \"y\": 1}}",
                  "{\"auths\": {\"x\": {\"auth\": \"Q\"}, \"y\": 1, \"a\": {\"auth\": \"QUFB\"}}}" },
                { "{\n  \"auths\": {\n    \"x\": { \"auth\": \"Q\" }\n  }\n}\n",
                  "{\n  \"auths\": {\n    \"x\": { \"auth\": \"Q\" },\n    \"a\": { \"auth\": \"QUFB\" }"
                  "\n  }\n}\n" },
                { "{\r\n  \"auths\" : {\r\n    \"x\" : {\r\n      \"auth\" : \"Q\",\r\n      \"b\" : "
                  "1\r\n    }\r\n  }\r\n}\r\n",
                  "{\r\n  \"auths\" : {\r\n    \"x\" : {\r\n      \"auth\" : \"Q\",\r\n      \"b\" : "
                  "1\r\n    },\r\n"
                  "    \"a\" : {\r\n      \"auth\" : \"QUFB\"\r\n    }\r\n  }\r\n}\r\n" },
                { "{\n   \"auths\": {\n      \"x\": {}\n   }\n}",
                  "{\n   \"auths\": {\n      \"x\": {},\n      \"a\": {\n         \"auth\": \"QUFB\"\n  "
                  "    }\n   }\n}" },
                { "{\n\"auths\": {\n\"x\": 1}}",
                  "{\n\"auths\": {\n\"x\": 1,\n\"a\": {\n\"auth\": \"QUFB\"\n}}}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_merged(rows[i].old, WISHES("a=QUFB"), rows[i].merged);
}

static void auths_is_filled_or_made_in_the_style_of_the_file(void **state) {
        static const struct {
                const char *old, *merged;
        } rows[] = {
                { "{\"auths\":{}}", "{\"auths\":{\"a\":{\"auth\":\"QUFB\"}}}" },
                { "{\"auths\": { \n }}", "{\"auths\": {\"a\": {\"auth\": \"QUFB\"}}}" },
                { PODMAN_EMPTY, PODMAN(ENTRY("a", "QUFB")) },
                { "{\n  \"auths\": {},\n  \"z\": 1\n}\n",
                  "{\n  \"auths\": {\n    \"a\": {\n      \"auth\": \"QUFB\"\n    }\n  },\n  \"z\": "
                  "1\n}\n" },
                { "{\"credHelpers\":{\"x\":\"y\"}}",
                  "{\"credHelpers\":{\"x\":\"y\"},\"auths\":{\"a\":{\"auth\":\"QUFB\"}}}" },
                { "{\n    \"z\": [1]\n}\n",
                  "{\n    \"z\": [1],\n    \"auths\": {\n        \"a\": {\n            \"auth\": "
                  "\"QUFB\"\n        }\n    }\n}\n" },
                { "{ }", "{\n\t\"auths\": {\n\t\t\"a\": {\n\t\t\t\"auth\": \"QUFB\"\n\t\t}\n\t}\n}" },
                { " { \"z\" : 0 } ", " { \"z\" : 0, \"auths\" : {\"a\" : {\"auth\" : \"QUFB\"}} } " },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_merged(rows[i].old, WISHES("a=QUFB"), rows[i].merged);
}

static void a_removed_entry_takes_one_comma_along(void **state) {
        static const char old[] =
                "{\"auths\": {\n  \"a\": {}, \"b\":1 ,\"c\" : [2] ,\n\n \"d\":{\"auth\":\"Q\"}\n}, \"x\":1}";

        assert_merged(old, WISHES("a"),
                      "{\"auths\": {\n  \"b\":1 ,\"c\" : [2] ,\n\n \"d\":{\"auth\":\"Q\"}\n}, \"x\":1}");
        assert_merged(old, WISHES("b"),
                      "{\"auths\": {\n  \"a\": {}, \"c\" : [2] ,\n\n \"d\":{\"auth\":\"Q\"}\n}, \"x\":1}");
        assert_merged(old, WISHES("d"), "{\"auths\": {\n  \"a\": {}, \"b\":1 ,\"c\" : [2]\n}, \"x\":1}");
        assert_merged(old, WISHES("b", "c"),
                      "{\"auths\": {\n  \"a\": {}, \"d\":{\"auth\":\"Q\"}\n}, \"x\":1}");
        assert_merged(old, WISHES("a", "b", "c"), "{\"auths\": {\n  \"d\":{\"auth\":\"Q\"}\n}, \"x\":1}");
        assert_merged(old, WISHES("d", "c", "b", "a", "e"), "{\"auths\": {}, \"x\":1}");
        assert_merged(PODMAN(ENTRY("a", "QQ==")), WISHES("a"), PODMAN_EMPTY);
}

static void removing_and_adding_go_together(void **state) {
        assert_merged(PODMAN(ENTRY("a", "QQ==")), WISHES("a", "b=QUFB"), PODMAN(ENTRY("b", "QUFB")));
        assert_merged(PODMAN(ENTRY("a", "QQ==") ",\n" ENTRY("b", "Qg==") ",\n" ENTRY("c", "Qw==")),
                      WISHES("d=RA==", "c", "b=QUFB", "a"),
                      PODMAN(ENTRY("b", "QUFB") ",\n" ENTRY("d", "RA==")));
}

static void what_is_no_auth_file_is_refused_with_its_place(void **state) {
        static const struct {
                const char *text;
                size_t line, column;
                const char *what;
        } rows[] = {
                { "[]", 1, 1, "not an object" },
                { "\n  5", 2, 3, "not an object" },
                { "null", 1, 1, "not an object" },
                { "{\n\"auths\": []}", 2, 10, "\"auths\" is not an object" },
                { "{\"auths\":null}", 1, 10, "\"auths\" is not an object" },
                { "{\"auths\":{}", 1, 12, "unexpected end" },
                { "{\"auths\":{}} {}", 1, 14, "more text behind the end" },
                { "{\"auths\":{\"a\":1,\"\\u0061\":2}}", 1, 17, "duplicate key" },
                { "{\"auths\":{},\"auths\":{}}", 1, 13, "duplicate key" },
                { "\xef\xbb\xbf{}", 1, 1, "unexpected character" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *user_pass = user_pass_of("QQ=="), *ret = NULL;
                JsonError error = {};

                assert_int_equal(auth_file_merge(rows[i].text, strlen(rows[i].text),
                                                 &(AuthEntry){ "a", user_pass }, 1, &ret, &error),
                                 -EBADMSG);
                assert_null(ret);
                assert_string_equal(error.what, rows[i].what);
                assert_int_equal(error.line, rows[i].line);
                assert_int_equal(error.column, rows[i].column);
                assert_int_equal(auth_file_lookup(rows[i].text, strlen(rows[i].text), "a", &ret), -EBADMSG);
                assert_int_equal(auth_file_has(rows[i].text, strlen(rows[i].text), "a"), -EBADMSG);
        }
}

static void what_could_break_the_file_does_not_get_in(void **state) {
        _cleanup_secret_ Secret *user_pass = user_pass_of("QQ==");
        Secret *ret = NULL;
        JsonError error;

        assert_int_equal(auth_file_merge("{}", 2, &(AuthEntry){ "\xff", user_pass }, 1, &ret, &error),
                         -EINVAL);
        for (int c = 0; c < 256; c++) {
                const char bytes[] = { 'u', ':', (char) c, (char) c };
                _cleanup_secret_ Secret *odd = NULL, *text = NULL, *found = NULL;

                assert_ok(secret_new(bytes, sizeof(bytes), &odd));
                assert_int_equal(auth_file_merge(NULL, 0, &(AuthEntry){ "a", odd }, 1, &text, &error),
                                 AUTH_FILE_CHANGED);
                assert_int_equal(
                        auth_file_lookup(secret_peek(text).iov_base, secret_size(text), "a", &found), 1);
                assert_true(secret_equal(found, odd));
        }
        assert_null(ret);
        assert_merged("{\"auths\":{\"x\":1}}", WISHES("a\"\\\n\xc3\xa9=QQ=="),
                      "{\"auths\":{\"x\":1,\"a\\\"\\\\\\n\xc3\xa9\":{\"auth\":\"QQ==\"}}}");
}

static void sizes_are_bounded(void **state) {
        size_t size = AUTH_FILE_MAX;
        char *text = malloc(size + 1);
        _cleanup_secret_ Secret *user_pass = user_pass_of("QQ=="), *large = NULL, *fits = NULL;
        Secret *ret = NULL;
        JsonError error;

        memset(text, ' ', size + 1);
        memcpy(text, "{}", 2);
        assert_int_equal(auth_file_merge(text, size + 1, &(AuthEntry){ "a", NULL }, 1, &ret, &error),
                         -EFBIG);
        assert_int_equal(auth_file_merge(text, size, &(AuthEntry){ "a", NULL }, 1, &ret, &error),
                         AUTH_FILE_UNCHANGED);
        assert_int_equal(auth_file_merge(text, size, &(AuthEntry){ "a", user_pass }, 1, &ret, &error),
                         -EFBIG);
        free(text);
        /* It is that of the letters. */
        assert_ok(secret_new_zero(size / 4 * 3, &large));
        assert_int_equal(auth_file_merge(NULL, 0, &(AuthEntry){ "a", large }, 1, &ret, &error), -EFBIG);
        secret_truncate(large, size / 4 * 3 - 64);
        assert_int_equal(auth_file_merge(NULL, 0, &(AuthEntry){ "a", large }, 1, &fits, &error),
                         AUTH_FILE_CHANGED);
        assert_null(ret);
}

static void single_keys_are_looked_up(void **state) {
        static const char text[] =
                "{\"auths\":{\"a\":{\"auth\":\"Q\\/\\u0046B\"},\"b\":{\"auth\":1},\"c\":{},\"d\":[],"
                "\"e\\/f\":{\"auth\":\"\"}}}";
        _cleanup_secret_ Secret *a = NULL, *e = NULL;
        Secret *none = NULL;

        assert_int_equal(auth_file_lookup(text, strlen(text), "a", &a), 1);
        assert_memory_equal(secret_peek(a).iov_base, "C\xf1\x41", 4);
        assert_int_equal(auth_file_lookup(text, strlen(text), "e/f", &e), 1);
        assert_int_equal(secret_size(e), 0);
        for (const char *key = "bcdx"; *key; key++) {
                const char name[] = { *key, '\0' };

                assert_int_equal(auth_file_lookup(text, strlen(text), name, &none), 0);
                assert_int_equal(auth_file_has(text, strlen(text), name), *key != 'x');
        }
        assert_int_equal(auth_file_lookup("{}", 2, "a", &none), 0);
        assert_int_equal(auth_file_lookup(NULL, 0, "a", &none), 0);
        assert_int_equal(auth_file_has("", 0, "a"), 0);
        assert_null(none);
}

static void thousands_of_entries_take_no_longer_than_their_bytes(void **state) {
        const size_t n = 20000;
        _cleanup_free_ AuthEntry *entries = calloc(n, sizeof(*entries));
        _cleanup_secret_ Secret *user_pass = user_pass_of("QQ=="), *text = NULL, *fewer = NULL;
        _cleanup_free_ char *keys = malloc(n * 16);
        struct iovec bytes;
        JsonError error;

        for (size_t i = 0; i < n; i++) {
                snprintf(keys + 16 * i, 16, "q.io/%zu", i * 7919 % n);
                entries[i] = (AuthEntry){ keys + 16 * i, user_pass };
        }
        assert_int_equal(auth_file_merge(NULL, 0, entries, n, &text, &error), AUTH_FILE_CHANGED);
        bytes = secret_peek(text);
        assert_int_equal(auth_file_merge(bytes.iov_base, bytes.iov_len, entries, n, &fewer, &error),
                         AUTH_FILE_UNCHANGED);
        for (size_t i = 0; i < n; i++)
                entries[i].user_pass = NULL;
        assert_int_equal(auth_file_merge(bytes.iov_base, bytes.iov_len, entries, n, &fewer, &error),
                         AUTH_FILE_CHANGED);
        assert_int_equal(secret_size(fewer), strlen(PODMAN_EMPTY));
        assert_memory_equal(secret_peek(fewer).iov_base, PODMAN_EMPTY, strlen(PODMAN_EMPTY));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_fresh_file_is_what_podman_writes),
                cmocka_unit_test(a_refresh_changes_the_secret_and_nothing_else),
                cmocka_unit_test(what_says_the_same_is_left_alone),
                cmocka_unit_test(an_entry_with_more_than_a_secret_becomes_a_fresh_one),
                cmocka_unit_test(new_entries_look_like_their_neighbours),
                cmocka_unit_test(auths_is_filled_or_made_in_the_style_of_the_file),
                cmocka_unit_test(a_removed_entry_takes_one_comma_along),
                cmocka_unit_test(removing_and_adding_go_together),
                cmocka_unit_test(what_is_no_auth_file_is_refused_with_its_place),
                cmocka_unit_test(what_could_break_the_file_does_not_get_in),
                cmocka_unit_test(sizes_are_bounded),
                cmocka_unit_test(single_keys_are_looked_up),
                cmocka_unit_test(thousands_of_entries_take_no_longer_than_their_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
