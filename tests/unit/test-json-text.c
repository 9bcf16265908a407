/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What counts as strict JSON, where errors are, and where members stand. */

#include "draw.h"

#include "base/text.h"
#include "codec/json-text.h"

static void assert_accepted(const char *text) {
        JsonError error = {};

        if (json_text_check(text, strlen(text), &error) != 0)
                fail_msg("%s: %zu:%zu: %s", text, error.line, error.column, error.what);
}

static void assert_refused_at(const char *text, size_t size, size_t line, size_t column, const char *what) {
        JsonError error = {};
        int r = json_text_check(text, size, &error);

        if (r != -EBADMSG || error.line != line || error.column != column || !streq_ptr(error.what, what))
                fail_msg("%s: %d at %zu:%zu: %s", text, r, error.line, error.column, strempty(error.what));
        /* The place is optional. */
        assert_int_equal(json_text_check(text, size, NULL), -EBADMSG);
}

static void json_is_accepted(void **state) {
        static const char *const rows[] = {
                "{}",
                "[]",
                "null",
                "true",
                "false",
                "0",
                "-0",
                "-1",
                "10",
                "0.5",
                "-0.25e+10",
                "1E-2",
                "1e0",
                "123456789012345678901234567890",
                "\"\"",
                "\"a\"",
                " \t\r\n{ } \n",
                "{\"\":{}}",
                "[[],[[]],{},1,\"a\",null,true,false]",
                "{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":1},{\"a\":2}],\"A\":4}",
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
                "\"\x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80\"",
                "\"\xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"",
                "[1 , 2\n,\t3 ]",
                "{ \"a\" : 1 , \"b\" : [ ] }",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_accepted(rows[i]);
}

static void what_is_no_json_is_refused_with_its_place(void **state) {
        static const struct {
                const char *text;
                size_t line, column;
                const char *what;
        } rows[] = {
                { "", 1, 1, "empty" },
                { " \n ", 2, 2, "empty" },
                { "{", 1, 2, "unexpected end" },
                { "[", 1, 2, "unexpected end" },
                { "[1", 1, 3, "unexpected end" },
                { "[1,", 1, 4, "unexpected end" },
                { "{\"a\"", 1, 5, "unexpected end" },
                { "{\"a\":", 1, 6, "unexpected end" },
                { "{\"a\":1", 1, 7, "unexpected end" },
                { "{\"a\":1,", 1, 8, "unexpected end" },
                { "\"a", 1, 3, "unexpected end" },
                { "{\n \"a\": x }", 2, 7, "unexpected character" },
                { "[1,]", 1, 4, "unexpected character" },
                { "[,1]", 1, 2, "unexpected character" },
                { "[1 2]", 1, 4, "',' or ']' is expected" },
                { "[1}", 1, 3, "',' or ']' is expected" },
                { "{\"a\":1]", 1, 7, "',' or '}' is expected" },
                { "{\"a\":1 \"b\":2}", 1, 8, "',' or '}' is expected" },
                { "{\"a\" 1}", 1, 6, "':' is expected" },
                { "{a:1}", 1, 2, "a key is expected" },
                { "{'a':1}", 1, 2, "a key is expected" },
                { "{1:1}", 1, 2, "a key is expected" },
                { "{\"a\":1,}", 1, 8, "a key is expected" },
                { "{,}", 1, 2, "a key is expected" },
                { "{} {}", 1, 4, "more text behind the end" },
                { "1 1", 1, 3, "more text behind the end" },
                { "nullx", 1, 5, "more text behind the end" },
                { "]", 1, 1, "unexpected character" },
                { "nul", 1, 1, "unexpected character" },
                { "True", 1, 1, "unexpected character" },
                { "NaN", 1, 1, "unexpected character" },
                { "Infinity", 1, 1, "unexpected character" },
                { "/* */ 1", 1, 1, "unexpected character" },
                { "'a'", 1, 1, "unexpected character" },
                { "+1", 1, 1, "unexpected character" },
                { ".5", 1, 1, "unexpected character" },
                { "\xef\xbb\xbf{}", 1, 1, "unexpected character" },
                { "[\v1]", 1, 2, "unexpected character" },
                { "[\xc2\xa0"
                  "1]",
                  1, 2, "unexpected character" },
                { "01", 1, 1, "wrong number" },
                { "-", 1, 1, "wrong number" },
                { "-01", 1, 1, "wrong number" },
                { "-a", 1, 1, "wrong number" },
                { "1.", 1, 1, "wrong number" },
                { "1.e1", 1, 1, "wrong number" },
                { "1e", 1, 1, "wrong number" },
                { "1e+", 1, 1, "wrong number" },
                { "-Infinity", 1, 1, "wrong number" },
                { "0x1", 1, 2, "more text behind the end" },
                { "\"a\nb\"", 1, 3, "control character in a string" },
                { "\"\t\"", 1, 2, "control character in a string" },
                { "\"\\x\"", 1, 2, "wrong escape" },
                { "\"\\u12\"", 1, 2, "wrong escape" },
                { "\"ab\\u0000\"", 1, 4, "NUL in a string" },
                { "{\"\\u0000\":1}", 1, 3, "NUL in a string" },
                { "\"\\ud800\"", 1, 2, "surrogate without its pair" },
                { "{\"a\":1,\"a\":2}", 1, 8, "duplicate key" },
                { "{\"a\":1,\n\"\\u0061\":2}", 2, 1, "duplicate key" },
                { "[{\"b\":0,\"a/\":1,\"c\":3,\"a\\/\":2,\"b\":1}]", 1, 22, "duplicate key" },
                { "{\"x\":{\"\":1,\"\":2}}", 1, 12, "duplicate key" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_refused_at(rows[i].text, strlen(rows[i].text), rows[i].line, rows[i].column,
                                  rows[i].what);
}

static void bytes_that_are_no_utf8_are_refused(void **state) {
        static const char *const rows[] = {
                "\x80",
                "\xbf",
                "\xc0\xaf",
                "\xc1\xbf",
                "\xc3",
                "\xc3(",
                "\xe0\x9f\xbf",
                "\xe2\x82",
                "\xed\xa0\x80",
                "\xed\xbf\xbf",
                "\xf0\x8f\xbf\xbf",
                "\xf0\x9f\x98",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xf8\x88\x80\x80\x80",
                "\xfe",
                "\xff",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *value = NULL, *key = NULL;

                assert_ok(text_format(&value, "[\"x%s\"]", rows[i]));
                assert_refused_at(value, strlen(value), 1, 2, "not UTF-8");
                assert_ok(text_format(&key, "{\"%s\":1}", rows[i]));
                assert_refused_at(key, strlen(key), 1, 2, "not UTF-8");
        }
}

static void control_characters_are_refused_in_strings(void **state) {
        for (char c = 1; c < ' '; c++) {
                const char text[] = { '"', 'a', c, '"', '\0' };

                assert_refused_at(text, 4, 1, 3, "control character in a string");
        }
}

static void a_null_byte_is_refused_everywhere(void **state) {
        assert_refused_at("{}\0", 3, 1, 3, "more text behind the end");
        assert_refused_at("\0{}", 3, 1, 1, "unexpected character");
        assert_refused_at("\"\0\"", 3, 1, 2, "control character in a string");
        assert_refused_at("\"\\\0\"", 4, 1, 2, "wrong escape");
        assert_refused_at("1\0", 2, 1, 2, "more text behind the end");
        assert_refused_at("1e\0", 3, 1, 1, "wrong number");
}

static void the_text_ends_where_its_size_says(void **state) {
        JsonError error;

        assert_int_equal(json_text_check("{}x", 2, &error), 0);
        assert_int_equal(json_text_check("true", 3, &error), -EBADMSG);
        assert_int_equal(json_text_check("\"\\u0041\"", 7, &error), -EBADMSG);
        assert_int_equal(json_text_check(NULL, 0, &error), -EBADMSG);
        assert_string_equal(error.what, "empty");
}

static void nesting_is_bounded(void **state) {
        char text[400];

        for (size_t depth = 1; depth <= 2 * JSON_DEPTH_MAX; depth++)
                for (unsigned object = 0; object < 2; object++) {
                        char *p = text;

                        for (size_t i = 0; i < depth; i++)
                                p = stpcpy(p, object ? "{\"\":" : "[");
                        *p++ = '1';
                        for (size_t i = 0; i < depth; i++)
                                *p++ = object ? '}' : ']';
                        *p = '\0';
                        if (depth <= JSON_DEPTH_MAX)
                                assert_accepted(text);
                        else
                                assert_refused_at(text, (size_t) (p - text), 1,
                                                  1 + JSON_DEPTH_MAX * (object ? 4 : 1),
                                                  "nested too deeply");
                }
}

static char *make_object(size_t n, bool twice) {
        char *text = malloc(32 * n + 64), *p = text;

        assert_non_null(text);
        *p++ = '{';
        for (size_t i = 0; i < n; i++)
                p += sprintf(p, "%s\"key%zu\":%zu", i > 0 ? "," : "", i * 7919 % n, i);
        if (twice)
                p = stpcpy(p, ",\"key\\u0030\":0");
        strcpy(p, "}");
        return text;
}

static void a_duplicate_is_found_among_many(void **state) {
        _cleanup_free_ char *once = make_object(50000, false), *twice = make_object(50000, true);
        JsonError error;

        assert_accepted(once);
        assert_int_equal(json_text_check(twice, strlen(twice), &error), -EBADMSG);
        assert_string_equal(error.what, "duplicate key");
        assert_int_equal(error.column, strlen(twice) - strlen("\"key\\u0030\":0}") + 1);
}

static void assert_span(const char *text, JsonSpan s, const char *expected) {
        assert_int_equal(s.size, strlen(expected));
        assert_memory_equal(text + s.offset, expected, s.size);
}

static void members_are_found_with_their_spans(void **state) {
        static const char text[] =
                " {\r\n\"a\\u002fb\" :\t{ \"x\\\"}\":[1,{}] },\"\" : -1.5e3 , \"c\":\"}\\\\\",\"d\":[ ],"
                "\"e\":null , \"f\\ud83d\\ude00\\\"\":true}\n";
        static const char *const rows[][3] = {
                { "a/b", "\"a\\u002fb\"", "{ \"x\\\"}\":[1,{}] }" },
                { "", "\"\"", "-1.5e3" },
                { "c", "\"c\"", "\"}\\\\\"" },
                { "d", "\"d\"", "[ ]" },
                { "e", "\"e\"", "null" },
                { "f\xf0\x9f\x98\x80\"", "\"f\\ud83d\\ude00\\\"\"", "true" },
        };
        JsonSpan root = json_text_root(text, strlen(text));
        JsonMembers m = {};

        assert_accepted(text);
        assert_int_equal(root.offset, 1);
        assert_int_equal(root.size, strlen(text) - 2);
        assert_int_equal(json_text_members(text, root, &m), 0);
        assert_int_equal(m.object.offset, root.offset);
        assert_int_equal(m.n_items, ELEMENTSOF(rows));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_string_equal(m.items[i].name, rows[i][0]);
                assert_span(text, m.items[i].key, rows[i][1]);
                assert_span(text, m.items[i].value, rows[i][2]);
                assert_ptr_equal(json_members_find(&m, rows[i][0]), m.items + i);
        }
        assert_null(json_members_find(&m, "x"));
        json_members_done(&m);
        assert_int_equal(m.n_items, 0);
        json_members_done(&m);
}

static void what_is_no_object_has_no_members(void **state) {
        static const char *const rows[] = { "[]", "1", "\"{\"", "null" };
        JsonMembers m = {};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(json_text_members(rows[i], json_text_root(rows[i], strlen(rows[i])), &m),
                                 -ENOTDIR);
        assert_int_equal(json_text_members("", (JsonSpan){}, &m), -ENOTDIR);
        assert_int_equal(json_text_members("{ }", (JsonSpan){ 0, 3 }, &m), 0);
        assert_int_equal(m.n_items, 0);
        json_members_done(&m);
}

static void roots_are_trimmed(void **state) {
        assert_int_equal(json_text_root("", 0).size, 0);
        assert_int_equal(json_text_root(NULL, 0).size, 0);
        assert_int_equal(json_text_root(" \n\t\r", 4).size, 0);
        assert_int_equal(json_text_root(" a b ", 5).offset, 1);
        assert_int_equal(json_text_root(" a b ", 5).size, 3);
        assert_int_equal(json_text_root("\0 ", 2).size, 1);
}

static void strings_are_quoted(void **state) {
        static const char *const rows[][2] = {
                { "", "\"\"" },
                { "quay.io/a\"b\\c", "\"quay.io/a\\\"b\\\\c\"" },
                { "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
                { "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
        };
        char *ignored;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *quoted = NULL;

                assert_int_equal(json_text_quote(rows[i][0], &quoted), 0);
                assert_string_equal(quoted, rows[i][1]);
                assert_accepted(quoted);
        }
        assert_int_equal(json_text_quote("\xff", &ignored), -EINVAL);
}

/* A text of random shape. */
static char *grow_value(Draw *d, char *p, unsigned depth) {
        static const char *const scalars[] = { "null",           "true",         "-0.5e+3", "0",
                                               "\"\\\\\\\"{[\"", "\"\xc3\xa9\"", "\"\"",    "17" };
        static const char *const blanks[] = { "", "", "", " ", "\n", "\r\n\t" };
        uint64_t kind = draw_below(d, depth == 0 ? 1 : 3), n = draw_below(d, 4);

        if (kind == 0)
                return stpcpy(p, scalars[draw_below(d, ELEMENTSOF(scalars))]);
        *p++ = kind == 1 ? '{' : '[';
        for (uint64_t i = 0; i < n; i++) {
                p = stpcpy(p, i > 0 ? "," : "");
                p = stpcpy(p, blanks[draw_below(d, ELEMENTSOF(blanks))]);
                if (kind == 1) {
                        p += sprintf(p, "\"\\u00%02xk\"", (unsigned) (0x30 + i));
                        p = stpcpy(p, blanks[draw_below(d, ELEMENTSOF(blanks))]);
                        *p++ = ':';
                        p = stpcpy(p, blanks[draw_below(d, ELEMENTSOF(blanks))]);
                }
                p = grow_value(d, p, depth - 1);
                p = stpcpy(p, blanks[draw_below(d, ELEMENTSOF(blanks))]);
        }
        *p++ = kind == 1 ? '}' : ']';
        return p;
}

/* Each value of the object is JSON by itself, and together with the gaps they are the whole text. */
static void check_spans(const char *text, JsonSpan span) {
        JsonMembers m = {};
        size_t at = span.offset + 1;

        if (json_text_members(text, span, &m) == -ENOTDIR)
                return;
        for (size_t i = 0; i < m.n_items; i++) {
                const JsonMember *member = m.items + i;

                assert_int_equal(json_text_check(text + member->value.offset, member->value.size, NULL), 0);
                assert_int_equal(json_text_check(text + member->key.offset, member->key.size, NULL), 0);
                assert_true(strspn(text + at, WHITESPACE ",") == member->key.offset - at);
                at = member->key.offset + member->key.size;
                assert_true(strspn(text + at, WHITESPACE ":") == member->value.offset - at);
                at = member->value.offset + member->value.size;
                assert_int_equal(member->name[0], '0' + (int) i);
                check_spans(text, member->value);
        }
        assert_true(strspn(text + at, WHITESPACE) == span.offset + span.size - 1 - at);
        json_members_done(&m);
}

static void random_texts_are_taken_apart_completely(void **state) {
        Draw d = { 2026 };

        for (unsigned i = 0; i < 3000; i++) {
                static char text[1 << 16];

                *grow_value(&d, text, 5) = '\0';
                assert_accepted(text);
                check_spans(text, json_text_root(text, strlen(text)));
        }
}

static void a_text_cut_short_is_no_json(void **state) {
        static const char text[] = "{\"a\\u00e9\":[1.5e1,{\"b\":\"\xe2\x82\xac\\n\"},true],\"c\":null}";

        for (size_t size = 0; size < strlen(text); size++) {
                /* Of its own size, so that a sanitizer sees a byte read too far. */
                char *part = malloc(size + 1);

                memcpy(part, text, size);
                part = realloc(part, size ?: 1);
                assert_int_equal(json_text_check(part, size, NULL), -EBADMSG);
                free(part);
        }
}

/* One string of 20 characters, all `neighbour` but for `byte` at `place`. */
static void check_byte(unsigned byte, char neighbour, size_t place) {
        bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        char text[22];
        int r;

        memset(text, neighbour, sizeof(text));
        text[0] = text[sizeof(text) - 1] = '"';
        text[place] = (char) byte;
        r = json_text_check(text, sizeof(text), NULL);
        if (r != (plain ? 0 : -EBADMSG))
                fail_msg("%u among '%c' at %zu: %d", byte, neighbour, place, r);
}

/* Eight bytes are looked at in one go: each neighbour that is all but special, each place. */
static void what_ends_a_string_is_found_wherever_it_stands(void **state) {
        static const char neighbours[] = "a !#[]~\x7f";

        for (const char *n = neighbours; *n; n++)
                for (size_t place = 1; place <= 20; place++)
                        for (unsigned byte = 0; byte < 256; byte++)
                                check_byte(byte, *n, place);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(json_is_accepted),
                cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
                cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
                cmocka_unit_test(control_characters_are_refused_in_strings),
                cmocka_unit_test(a_null_byte_is_refused_everywhere),
                cmocka_unit_test(the_text_ends_where_its_size_says),
                cmocka_unit_test(nesting_is_bounded),
                cmocka_unit_test(a_duplicate_is_found_among_many),
                cmocka_unit_test(members_are_found_with_their_spans),
                cmocka_unit_test(what_is_no_object_has_no_members),
                cmocka_unit_test(roots_are_trimmed),
                cmocka_unit_test(strings_are_quoted),
                cmocka_unit_test(random_texts_are_taken_apart_completely),
                cmocka_unit_test(a_text_cut_short_is_no_json),
                cmocka_unit_test(what_ends_a_string_is_found_wherever_it_stands),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
