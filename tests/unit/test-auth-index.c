/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands under which key, and which files have no index. */

#include "unit.h"

#include "base/text.h"
#include "codec/base64.h"
#include "model/auth-index.h"

static AuthIndex *make(const char *text) {
        AuthIndex *x = NULL;
        JsonError error = {};

        if (auth_index_new(text, strlen(text), &x, &error) != 0)
                fail_msg("%s: %s", text, error.what);
        return x;
}

static void assert_user_pass(const AuthIndex *x, const char *key, const char *user_pass) {
        _cleanup_secret_ Secret *found = NULL;

        assert_int_equal(auth_index_user_pass(x, key, &found), user_pass != NULL);
        assert_int_equal(found != NULL, user_pass != NULL);
        if (!user_pass)
                return;
        assert_int_equal(secret_size(found), strlen(user_pass));
        assert_memory_equal(secret_peek(found).iov_base, user_pass, strlen(user_pass) + 1);
}

static void keys_are_found_however_they_are_written(void **state) {
        _cleanup_(auth_index_freep) AuthIndex *x =
                make("{\"z\":{\"zz\":{\"auth\":\"no\"}},\"\\u0061uths\":{\"b\":{\"auth\":\"Qg==\"},"
                     "\"a\\/\\u00e9\":{\"\\u0061uth\":"
                     "\"Q\\/FB\",\"email\":\"e\"},\"\":{\"auth\":\"\"}},\"y\":1}");

        assert_user_pass(x, "b", "B");
        assert_user_pass(x, "a/\xc3\xa9", "C\xf1\x41");
        assert_user_pass(x, "", "");
        assert_true(auth_index_has(x, "b") && auth_index_has(x, "a/\xc3\xa9") && auth_index_has(x, ""));
        assert_false(auth_index_has(x, "zz") || auth_index_has(x, "auths") ||
                     auth_index_has(x, "a\\/\\u00e9"));
        assert_user_pass(x, "zz", NULL);
}

static void members_beside_the_entries_are_seen(void **state) {
        static const struct {
                const char *text, *other;
        } rows[] = { { "", NULL },
                     { "{}", NULL },
                     { "{\"auths\":{\"a\":{}}}", NULL },
                     { "{\"auths\":{},\"credHelpers\":{}}", "credHelpers" },
                     { "{\"x\":1}", "x" } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(auth_index_freep) AuthIndex *x = make(rows[i].text);

                assert_true(streq_ptr(auth_index_other(x), rows[i].other));
        }
}

static void entries_without_a_secret_are_there_all_the_same(void **state) {
        static const char *const values[] = { "null",
                                              "{}",
                                              "[]",
                                              "1",
                                              "\"QQ==\"",
                                              "{\"auth\":null}",
                                              "{\"auth\":1}",
                                              "{\"Auth\":\"QQ==\"}",
                                              "{\"auth\":\"QQ\"}",
                                              "{\"auth\":\"QQ==\\n\"}" };

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(auth_index_freep) AuthIndex *x = NULL;
                _cleanup_free_ char *text = NULL;

                assert_ok(text_format(&text, "{\"auths\":{\"a\":%s}}", values[i]));
                x = make(text);
                assert_true(auth_index_has(x, "a"));
                assert_user_pass(x, "a", NULL);
        }
}

static void nothing_gives_an_empty_index(void **state) {
        static const char *const rows[] = { "", " \n\t\r", "{}", "{\"auths\":{}}", "{\"Auths\":{\"a\":1}}" };
        _cleanup_(auth_index_freep) AuthIndex *null = NULL;
        JsonError error;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(auth_index_freep) AuthIndex *x = make(rows[i]);

                assert_false(auth_index_has(x, "a"));
                assert_user_pass(x, "a", NULL);
        }
        assert_int_equal(auth_index_new(NULL, 0, &null, &error), 0);
        assert_false(auth_index_has(null, ""));
        assert_null(auth_index_free(NULL));
}

static void broken_files_are_refused_with_their_place(void **state) {
        static const struct {
                const char *text;
                size_t line, column;
                const char *what;
        } rows[] = {
                { "{", 1, 2, "unexpected end" },
                { "\n []", 2, 2, "not an object" },
                { "{\"a\":1,\n \"auths\":[]}", 2, 10, "\"auths\" is not an object" },
                { "{\"auths\":null}", 1, 10, "\"auths\" is not an object" },
                { "{\"auths\":{\"a\":1,\"a\":1}}", 1, 17, "duplicate key" },
                { "{\"auths\":{},\"\\u0061uths\":{}}", 1, 13, "duplicate key" },
                { "x", 1, 1, "unexpected character" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonError error = {};
                AuthIndex *x = NULL;

                assert_int_equal(auth_index_new(rows[i].text, strlen(rows[i].text), &x, &error), -EBADMSG);
                assert_null(x);
                assert_string_equal(error.what, rows[i].what);
                assert_int_equal(error.line, rows[i].line);
                assert_int_equal(error.column, rows[i].column);
        }
}

static void every_one_of_many_keys_is_found(void **state) {
        const size_t n = 5000;
        char *text = malloc(n * 48), *p = stpcpy(text, "{\"auths\":{");
        _cleanup_(auth_index_freep) AuthIndex *x = NULL;

        for (size_t i = 0; i < n; i++)
                p += sprintf(p, "%s\"q.io/%zu\":{\"auth\":\"%04zu\"}", i > 0 ? "," : "", i * 7919 % n,
                             i * 7919 % n);
        strcpy(p, "}}");
        x = make(text);
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *found = NULL;
                char key[32], auth[32];

                snprintf(key, sizeof(key), "q.io/%zu", i);
                snprintf(auth, sizeof(auth), "%04zu", i);
                assert_int_equal(auth_index_user_pass(x, key, &found), 1);
                assert_true(base64_is(auth, 4, secret_peek(found).iov_base, secret_size(found)));
        }
        assert_false(auth_index_has(x, "q.io/5000") || auth_index_has(x, "q.io/") ||
                     auth_index_has(x, "q.io/04"));
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_are_found_however_they_are_written),
                cmocka_unit_test(members_beside_the_entries_are_seen),
                cmocka_unit_test(entries_without_a_secret_are_there_all_the_same),
                cmocka_unit_test(nothing_gives_an_empty_index),
                cmocka_unit_test(broken_files_are_refused_with_their_place),
                cmocka_unit_test(every_one_of_many_keys_is_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
