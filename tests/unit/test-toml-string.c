/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Strings of TOML: their names and values, and where everything else ends. */

#include "unit.h"

#include "base/text.h"
#include "codec/toml-string.h"

static int collect(const TomlString *s, void *userdata) {
        static const char *const signs[] = {
                [TOML_STRING] = "=", [TOML_ARRAY] = "[", [TOML_ELEMENT] = "[]=", [TOML_ATTRIBUTE] = "{}="
        };
        _cleanup_free_ char *line = NULL;

        assert_int_equal(
                text_format(&line, "%zu:%zu %s%s%s", s->line, s->table, s->name, signs[s->kind], s->value),
                0);
        return strv_append(userdata, line) < 0 ? -ENOMEM : 0;
}

static void check(const char *text, const char *expected) {
        _cleanup_free_ char *joined = NULL;
        _cleanup_strv_ char **l = NULL;
        TomlError error = {};
        int r;

        r = toml_strings(text, strlen(text), collect, &l, &error);
        if (r < 0)
                fail_msg("%zu: %s", error.line, error.what);
        assert_int_equal(strv_join(l, ";", &joined), 0);
        assert_string_equal(joined, expected);
}

static void check_refused(const char *text, size_t line, const char *what) {
        _cleanup_strv_ char **l = NULL;
        TomlError error = {};

        assert_int_equal(toml_strings(text, strlen(text), collect, &l, &error), -EBADMSG);
        assert_string_equal(error.what, what);
        assert_int_equal(error.line, line);
}

static void strings_have_the_name_of_their_table(void **state) {
        check("", "");
        check("a = \"b\"", "1:0 a=b");
        check("# c\n[crio.image]\nglobal_auth_file='/a\\b' # more\n",
              "3:1 crio.image.global_auth_file=/a\\b");
        check("[a . \"b c\"]\ng.e = 'f'\r\n", "2:1 a.b c.g.e=f");
        check("[[r]]\nx='1'\n[[r.m]]\nx='2'\n[[r]]\nx='3'", "2:1 r.x=1;4:2 r.m.x=2;6:3 r.x=3");
        check("a = \"q\\\"\\\\\\t\\u00e9\\ud83d\\ude00\"", "1:0 a=q\"\\\t\xc3\xa9\xf0\x9f\x98\x80");
        check("a = \"\\U0001F600\\U000000e9\\U0010fFfF!\"",
              "1:0 a=\xf0\x9f\x98\x80\xc3\xa9\xf4\x8f\xbf\xbf!");
        check("a = ''\nb=\"\"\n", "1:0 a=;2:0 b=");
}

static void strings_of_arrays_have_the_name_of_the_array(void **state) {
        check("[e]\nenv = ['A=b', # c\n \"C=d\",\n]\nk='x'",
              "2:1 e.env[;2:1 e.env[]=A=b;3:1 e.env[]=C=d;5:1 e.k=x");
        check("env = [\"A=b\", {append = true, x.y='z', v=[1]}]",
              "1:0 env[;1:0 env[]=A=b;1:0 env.append{}=true;1:0 env.x.y{}=z");
        check("a = []\nb = ['x',]", "1:0 a[;2:0 b[;2:0 b[]=x");
        check("a = [1, ['x'], {b=['y'], c={d='z'}}, true, \"\"\"w\"\"\", 'v']\nt = {a='u', b=['s']}",
              "1:0 a[;1:0 a[]=v");
}

static void other_values_are_passed_over(void **state) {
        check("a = 1\nb = 1979-05-27 07:32:00Z\nc = true\nk='x'", "4:0 k=x");
        check("a = [ # ]\n ['}', {b = \"]\", c.d=1}],\n]\nk='x'", "1:0 a[;4:0 k=x");
        check("b = {}\nc = [1,]\nk='x'", "2:0 c[;3:0 k=x");
        check("a = \"\"\"\n[b]\nc='y' \\\"\"\" \"\"\"\"\"\nk='x'", "4:0 k=x");
        check("a = '''\n\\''''\nk='x'", "3:0 k=x");
}

static void what_is_no_toml_is_refused(void **state) {
        check_refused("a", 1, "no '=' behind a key");
        check_refused("a = ", 1, "no value where one should be");
        check_refused("a = b = c", 1, "something behind the value");
        check_refused("\na = 'b", 2, "a string without an end");
        check_refused("a = 'b\n'", 1, "a string without an end");
        check_refused("a = \"\"\"b\n\n\"\"", 3, "a string without an end");
        check_refused("[a\n]", 1, "no ']' behind the name of a table");
        check_refused("[[a]\n", 1, "no ']' behind the name of a table");
        check_refused("= 1", 1, "no key where one should be");
        check_refused("a.\n= 1", 1, "no key where one should be");
        check_refused("a = [1 2]", 1, "neither a comma nor the end of what was begun");
        check_refused("a = \"\\x\"", 1, "an escape that is not read here");
        check_refused("a = \"\\U0000d800\"", 1, "an escape that is not read here");
        check_refused("a = \"\\U00110000\"", 1, "an escape that is not read here");
        check_refused("a = \"\\U00000000\"", 1, "an escape that is not read here");
        check_refused("a = \"\\U0000e9\"", 1, "an escape that is not read here");
        check_refused("a = \"\\U000000e\"9", 1, "an escape that is not read here");
        check_refused("a = ['x' 'y']", 1, "neither a comma nor the end of what was begun");
        check_refused("a = ['x'\n, \"y]", 2, "a string without an end");
        check_refused("a = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", 1, "too deep");
        check_refused("a = {b", 1, "no '=' behind a key");
}

static int stop(const TomlString *s, void *userdata) {
        ++*(int *) userdata;
        return -ECANCELED;
}

static void a_handler_can_end_it(void **state) {
        TomlError error;
        int n = 0;

        assert_int_equal(toml_strings("a='b'\nc='e'\n", 12, stop, &n, &error), -ECANCELED);
        assert_int_equal(n, 1);
        assert_int_equal(toml_strings("a\0b", 3, stop, &n, &error), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(strings_have_the_name_of_their_table),
                cmocka_unit_test(strings_of_arrays_have_the_name_of_the_array),
                cmocka_unit_test(other_values_are_passed_over),
                cmocka_unit_test(what_is_no_toml_is_refused),
                cmocka_unit_test(a_handler_can_end_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
