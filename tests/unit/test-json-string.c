/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What strings of JSON mean, and how they compare. */

#include "draw.h"

#include "base/text.h"
#include "codec/json-string.h"

static JsonString string(const char *text) {
        return (JsonString){ text, strlen(text), strchr(text, '\\') };
}

static void escapes_mean_what_the_rfc_says(void **state) {
        static const struct {
                const char *text, *meaning;
                size_t length;
        } rows[] = {
                { "\\\"", "\"", 2 },
                { "\\\\", "\\", 2 },
                { "\\/", "/", 2 },
                { "\\b", "\b", 2 },
                { "\\f", "\f", 2 },
                { "\\n", "\n", 2 },
                { "\\r", "\r", 2 },
                { "\\t", "\t", 2 },
                { "\\u0001", "\x01", 6 },
                { "\\u007f", "\x7f", 6 },
                { "\\u0080", "\xc2\x80", 6 },
                { "\\u00E9x", "\xc3\xa9", 6 },
                { "\\u07fF", "\xdf\xbf", 6 },
                { "\\u0800", "\xe0\xa0\x80", 6 },
                { "\\uFFFF", "\xef\xbf\xbf", 6 },
                { "\\uD800\\uDC00", "\xf0\x90\x80\x80", 12 },
                { "\\udbff\\udfff", "\xf4\x8f\xbf\xbf", 12 },
                { "\\uE000", "\xee\x80\x80", 6 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *text = rows[i].text, *what = NULL;
                char out[JSON_CHARACTER_MAX];
                size_t size = 0;

                assert_int_equal(json_escape_read(text, text + strlen(text), out, &size, &what),
                                 rows[i].length);
                assert_int_equal(size, strlen(rows[i].meaning));
                assert_memory_equal(out, rows[i].meaning, size);
        }
}

static void what_is_no_escape_says_why(void **state) {
        static const struct {
                const char *text, *what;
        } rows[] = {
                { "\\", "wrong escape" },
                { "\\x", "wrong escape" },
                { "\\U0041", "wrong escape" },
                { "\\u", "wrong escape" },
                { "\\u004", "wrong escape" },
                { "\\u004g", "wrong escape" },
                { "\\u+041", "wrong escape" },
                { "\\u0000", "NUL in a string" },
                { "\\ud800", "surrogate without its pair" },
                { "\\ud800x", "surrogate without its pair" },
                { "\\ud800\\n", "surrogate without its pair" },
                { "\\ud800\\u0041", "surrogate without its pair" },
                { "\\ud800\\ud800", "surrogate without its pair" },
                { "\\udc00", "surrogate without its pair" },
                { "\\udc00\\ud800", "surrogate without its pair" },
                { "\\ud800\\udc0", "surrogate without its pair" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *text = rows[i].text, *what = NULL;
                char out[JSON_CHARACTER_MAX];
                size_t size;

                assert_int_equal(json_escape_read(text, text + strlen(text), out, &size, &what), 0);
                assert_string_equal(what, rows[i].what);
        }
}

static void a_null_byte_behind_a_backslash_is_no_escape(void **state) {
        static const char text[2] = "\\";
        char out[JSON_CHARACTER_MAX];
        const char *what;
        size_t size;

        assert_int_equal(json_escape_read(text, text + 2, out, &size, &what), 0);
}

static void strings_are_unescaped(void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "plain", "plain" },
                { "a\\/b\\u002Fc", "a/b/c" },
                { "\xc3\xa9\\u00e9\xe2\x82\xac\xf0\x9f\x98\x80\\ud83d\\ude00",
                  "\xc3\xa9\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const JsonString s = string(rows[i][0]);
                _cleanup_free_ char *text = NULL;

                assert_int_equal(json_string_unescape(&s, &text), 0);
                assert_string_equal(text, rows[i][1]);
        }
}

static int sign(int i) {
        return (i > 0) - (i < 0);
}

static void strings_compare_by_what_they_mean(void **state) {
        static const char *const pieces[] = { "a",
                                              "b",
                                              "\\u0061",
                                              "\\u0062",
                                              "/",
                                              "\\/",
                                              "\xc3\xa9",
                                              "\\u00e9",
                                              "\\u00E9",
                                              "\xf0\x9f\x98\x80",
                                              "\\ud83d\\ude00",
                                              "\xef\xbf\xbd",
                                              "\\ufffd",
                                              "\\n" };
        Draw d = { 7 };

        for (unsigned i = 0; i < 100000; i++) {
                _cleanup_free_ char *meaning_a = NULL, *meaning_b = NULL;
                char a[64] = "", b[64] = "";
                JsonString x, y;

                for (uint64_t n = draw_below(&d, 4); n > 0; n--)
                        strcat(a, pieces[draw_below(&d, ELEMENTSOF(pieces))]);
                for (uint64_t n = draw_below(&d, 4); n > 0; n--)
                        strcat(b, pieces[draw_below(&d, ELEMENTSOF(pieces))]);
                x = string(a);
                y = string(b);
                assert_ok(json_string_unescape(&x, &meaning_a));
                assert_ok(json_string_unescape(&y, &meaning_b));
                if (sign(json_string_compare(&x, &y)) != sign(strcmp(meaning_a, meaning_b)))
                        fail_msg("'%s' and '%s'", a, b);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(escapes_mean_what_the_rfc_says),
                cmocka_unit_test(what_is_no_escape_says_why),
                cmocka_unit_test(a_null_byte_behind_a_backslash_is_no_escape),
                cmocka_unit_test(strings_are_unescaped),
                cmocka_unit_test(strings_compare_by_what_they_mean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
