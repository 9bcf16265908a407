/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON as values: what getters give and refuse, that erasing erases, and the bytes that printing makes. */

#include "unit.h"

#include "base/text.h"
#include "codec/json.h"

static json_object *parse(const char *text) {
        json_object *o = NULL;
        JsonError error = {};

        if (json_parse(text, strlen(text), &o, &error) != 0)
                fail_msg("%s: %s", text, error.what);
        return o;
}

static void getters_give_what_is_there(void **state) {
        _cleanup_json_ json_object *o =
                parse("{\"s\":\"a\\/b\",\"e\":\"\",\"n\":0,\"max\":18446744073709551615,"
                      "\"t\":true,\"f\":false,\"o\":{},\"a\":[1]}");
        json_object *inner = NULL;
        const char *s = NULL;
        uint64_t u = 1;
        bool b = false;

        assert_int_equal(json_get_string(o, "s", &s), 1);
        assert_string_equal(s, "a/b");
        assert_int_equal(json_get_string(o, "e", &s), 1);
        assert_string_equal(s, "");
        assert_int_equal(json_get_u64(o, "n", &u), 1);
        assert_int_equal(u, 0);
        assert_int_equal(json_get_u64(o, "max", &u), 1);
        assert_true(u == UINT64_MAX);
        assert_int_equal(json_get_bool(o, "t", &b), 1);
        assert_true(b);
        assert_int_equal(json_get_bool(o, "f", &b), 1);
        assert_false(b);
        assert_int_equal(json_get_object(o, "o", &inner), 1);
        assert_true(json_object_is_type(inner, json_type_object));
        assert_int_equal(json_get_array(o, "a", &inner), 1);
        assert_int_equal(json_object_array_length(inner), 1);
}

static void absent_and_null_are_the_same(void **state) {
        _cleanup_json_ json_object *o = parse("{\"z\":null}");
        const char *s = NULL;
        uint64_t u;
        bool b;

        for (unsigned i = 0; i < 2; i++) {
                const char *key = i == 0 ? "z" : "nothing";
                json_object *inner;

                assert_int_equal(json_get_string(o, key, &s), 0);
                assert_int_equal(json_get_u64(o, key, &u), 0);
                assert_int_equal(json_get_bool(o, key, &b), 0);
                assert_int_equal(json_get_object(o, key, &inner), 0);
                assert_int_equal(json_get_array(o, key, &inner), 0);
        }
        assert_int_equal(json_get_string(NULL, "s", &s), 0);
        assert_null(s);
}

static void getters_never_convert(void **state) {
        static const char *const values[] = { "\"1\"", "1.0", "1e2", "-1", "true", "[]", "{}" };

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_json_ json_object *o = NULL;
                json_object *inner = NULL;
                const char *s = NULL;
                uint64_t u = 77;
                bool b = false;

                assert_ok(text_format(&text, "{\"x\":%s}", values[i]));
                o = parse(text);
                assert_int_equal(json_get_u64(o, "x", &u), -EBADMSG);
                assert_int_equal(u, 77);
                assert_int_equal(json_get_string(o, "x", &s), i == 0 ? 1 : -EBADMSG);
                assert_int_equal(json_get_bool(o, "x", &b), streq(values[i], "true") ? 1 : -EBADMSG);
                assert_int_equal(json_get_array(o, "x", &inner), streq(values[i], "[]") ? 1 : -EBADMSG);
                assert_int_equal(json_get_object(o, "x", &inner), streq(values[i], "{}") ? 1 : -EBADMSG);
        }
}

static void what_json_c_would_take_is_refused(void **state) {
        static const char *const rows[] = {
                "",     "{\"a\":1,\"a\":2}", "\"\\u0000z\"", "{} ,",     "{\"a\":1}x", "NaN",  "'a'",
                "[1,]", "\"\\ud800\"",       "01",           "\"\x80\"", "// c\n1",    "tRUE",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonError error = {};
                json_object *o = NULL;

                if (json_parse(rows[i], strlen(rows[i]), &o, &error) != -EBADMSG)
                        fail_msg("'%s' should be refused", rows[i]);
                assert_non_null(error.what);
                assert_null(o);
                assert_int_equal(json_parse(rows[i], strlen(rows[i]), &o, NULL), -EBADMSG);
        }
}

static void every_kind_of_value_may_stand_at_the_top(void **state) {
        static const char *const rows[] = { "1",    "-12",   "1.5", "1e3",   "true",
                                            "null", "\"a\"", "[]",  " [ ] ", "0" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_json_ json_object *o = parse(rows[i]);

                assert_int_equal(o == NULL, streq(rows[i], "null"));
        }
}

static void json_c_nests_as_deeply_as_the_scanner(void **state) {
        char text[2 * JSON_DEPTH_MAX + 2] = "";

        for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
                text[i] = '[';
                text[JSON_DEPTH_MAX + 1 + i] = ']';
        }
        text[JSON_DEPTH_MAX] = '1';
        json_unref(parse(text));
}

static void printing_makes_these_bytes(void **state) {
        _cleanup_json_ json_object *o = parse("{ \"url\" : \"https://a/b\", \"n\":[1, 2.50,true,null ], "
                                              "\"e\":{}, \"u\":\"\\u00e9\\u001f\\\"\" }");
        _cleanup_free_ char *plain = NULL, *pretty = NULL;

        assert_int_equal(json_print(o, false, &plain), 0);
        assert_string_equal(
                plain,
                "{\"url\":\"https://a/b\",\"n\":[1,2.50,true,null],\"e\":{},\"u\":\"\xc3\xa9\\u001f\\\"\"}");
        assert_int_equal(json_print(o, true, &pretty), 0);
        assert_non_null(startswith(pretty, "{\n  \"url\": \"https://a/b\",\n  \"n\": [\n    1,\n"
                                           "    2.50,\n    true,\n    null\n  ],\n"));
        assert_non_null(endswith(pretty, "\"\n}"));
}

static void what_is_printed_is_strict(void **state) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_free_ char *plain = NULL;

        json_object_object_add(o, "a\n\"\\", json_object_new_string("/\x7f\xe2\x80\xa8"));
        assert_int_equal(json_print(o, true, &plain), 0);
        assert_int_equal(json_text_check(plain, strlen(plain), NULL), 0);
}

static void erasing_reaches_every_string(void **state) {
        json_object *o = parse(
                "{\"a\":\"secret one\","
                "\"b\":[{\"c\":\"secret two, longer than what fits into an object itself\"}],\"n\":1}");
        json_object *a = json_object_object_get(o, "a"), *c = NULL;

        c = json_object_object_get(json_object_array_get_idx(json_object_object_get(o, "b"), 0), "c");
        json_object_get(a);
        json_object_get(c);
        assert_null(json_erase(o));
        for (int i = 0; i < json_object_get_string_len(a); i++)
                assert_int_equal(json_object_get_string(a)[i], 0);
        assert_in_range(json_object_get_string_len(c), 40, 80);
        for (int i = 0; i < json_object_get_string_len(c); i++)
                assert_int_equal(json_object_get_string(c)[i], 0);
        json_object_put(a);
        json_object_put(c);
        assert_null(json_erase(NULL));
}

static void strings_with_a_null_byte_are_no_strings(void **state) {
        _cleanup_json_ json_object *o = json_object_new_object();
        const char *s;

        json_object_object_add(o, "a", json_object_new_string_len("a\0b", 3));
        assert_int_equal(json_get_string(o, "a", &s), -EBADMSG);
}

static void what_is_put_in_comes_out(void **state) {
        _cleanup_json_ json_object *o = json_object_new_object(), *array = json_object_new_array();
        _cleanup_free_ char *text = NULL;

        assert_int_equal(json_append(array, json_object_new_int64(1)), 0);
        assert_int_equal(json_append(array, NULL), -ENOMEM);
        assert_int_equal(json_put(o, "a", json_object_get(array)), 0);
        assert_int_equal(json_put(o, "b", json_object_new_string("x")), 0);
        assert_int_equal(json_put(o, "c", NULL), -ENOMEM);
        assert_int_equal(json_print(o, /* pretty= */ false, &text), 0);
        assert_string_equal(text, "{\"a\":[1],\"b\":\"x\"}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(getters_give_what_is_there),
                cmocka_unit_test(absent_and_null_are_the_same),
                cmocka_unit_test(getters_never_convert),
                cmocka_unit_test(what_json_c_would_take_is_refused),
                cmocka_unit_test(every_kind_of_value_may_stand_at_the_top),
                cmocka_unit_test(json_c_nests_as_deeply_as_the_scanner),
                cmocka_unit_test(printing_makes_these_bytes),
                cmocka_unit_test(what_is_printed_is_strict),
                cmocka_unit_test(erasing_reaches_every_string),
                cmocka_unit_test(what_is_put_in_comes_out),
                cmocka_unit_test(strings_with_a_null_byte_are_no_strings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
