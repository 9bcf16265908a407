/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Texts with specifiers: what becomes of them, and what is refused where. */

#include "unit.h"

#include <errno.h>

#include "base/text.h"
#include "codec/template.h"

typedef struct Example {
        size_t n; /* items of the loop '[' */
} Example;

static size_t count(char loop, void *userdata) {
        const Example *e = userdata;

        return loop == '[' ? e->n : 2;
}

static const char *const keys[] = { "q.example/acme", "q.example/\"b", "q.example/it's" };

static int value(char letter, char loop, size_t index, struct iovec *ret, void *userdata) {
        static const char *const numbers[] = { "0", "1", "2" };
        const char *text;

        if (letter == 'x')
                return -EIO;
        if (letter == 'm' && loop == '\0')
                return -ENOTUNIQ;
        if (letter == 'e' && loop == '\0')
                return -ENODATA;
        switch (letter) {
        case 'k':
                text = keys[index];
                break;
        case '#':
                text = numbers[index];
                break;
        case 'l':
                text = "a\nb";
                break;
        default:
                return -ENOENT;
        }
        if (loop == '\0' && letter == '#')
                return -ENOENT;
        *ret = (struct iovec){ (void *) text, strlen(text) };
        return 0;
}

static const char *variable(const char *name, void *userdata) {
        return streq(name, "ns") ? "edge" : NULL;
}

/* Returns what template_parse() or template_render() did. */
static int render(const char *text, QuotingLanguage language, size_t n, Secret **ret,
                  TemplateError *reterr) {
        _cleanup_(template_freep) Template *t = NULL;
        Example e = { n };
        const TemplateSource source = { count, value, variable, &e, "#" };
        int r;

        r = template_parse(text, strlen(text), language, &t, reterr);
        return r < 0 ? r : template_render(t, &source, ret, reterr);
}

typedef struct Made {
        QuotingLanguage language;
        size_t n;
        const char *text;
        const char *made;
} Made;

static void check_made(const Made *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *made = NULL;
                TemplateError error = {};

                if (render(rows[i].text, rows[i].language, rows[i].n, &made, &error) != 0)
                        fail_msg("'%s': %zu:%zu: %s: %s", rows[i].text, error.line, error.column,
                                 error.which, error.what);
                assert_int_equal(secret_size(made), strlen(rows[i].made));
                assert_string_equal(secret_peek(made).iov_base, rows[i].made);
        }
}

typedef struct Refused {
        QuotingLanguage language;
        const char *text;
        size_t line, column;
        const char *which;
        const char *what; /* a part of it */
} Refused;

static void check_refused(const Refused *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                TemplateError error = {};
                Secret *made = NULL;

                assert_int_equal(render(rows[i].text, rows[i].language, 1, &made, &error), -EBADMSG);
                assert_null(made);
                if (error.line != rows[i].line || error.column != rows[i].column ||
                    !streq(error.which, rows[i].which) || !strstr(error.what, rows[i].what))
                        fail_msg("'%s': %zu:%zu: %s: %s", rows[i].text, error.line, error.column,
                                 error.which, error.what);
        }
}

static void a_text_becomes_what_it_says(void **state) {
        static const Made rows[] = {
                { QUOTING_PLAIN, 1, "", "" },
                { QUOTING_PLAIN, 1, "100 %%, %k%k %%%%", "100 %, q.example/acmeq.example/acme %%" },
                { QUOTING_PLAIN, 3, "%[%#%|,%]", "0,1,2" },
                { QUOTING_PLAIN, 0, "<%[%#%|,%]>", "<>" },
                { QUOTING_PLAIN, 1, "<%[%#%|,%]>", "<0>" },
                { QUOTING_PLAIN, 3, "%(%#%)%[%#%]", "01012" },
                { QUOTING_PLAIN, 2, "a\n %[ \nkey %#\n%]\nb", "a\nkey 0\nkey 1\nb" },
                { QUOTING_PLAIN, 2, "%[\r\nkey %#\r\n%]\r\n", "key 0\r\nkey 1\r\n" },
                { QUOTING_PLAIN, 2, "%[\n%#\n%|\n--\n%]", "0\n--\n1\n" },
                { QUOTING_PLAIN, 1, "%{ns} %{other:else} %{other:x}", "edge else x" },
                { QUOTING_JSON, 3, "{%[%k: \"%# %k\"%|, %]}",
                  "{\"q.example/acme\": \"0 q.example/acme\", \"q.example/\\\"b\": \"1 q.example/\\\"b\", "
                  "\"q.example/it's\": \"2 q.example/it's\"}" },
                { QUOTING_JSON, 1, "[%[%#%]]", "[0]" },
                { QUOTING_JSON, 1, "[\"%{ns}\", %{ns}, %l]", "[\"edge\", \"edge\", \"a\\u000ab\"]" },
                { QUOTING_YAML, 1, "a-%{ns}: %k\nb: 'x %k'\n# it's %k\nc: %k/d",
                  "a-edge: \"q.example/acme\"\nb: 'x q.example/acme'\n# it's q.example/acme\n"
                  "c: q.example/acme/d" },
                { QUOTING_YAML, 3, "%[\n- '%k'\n%]\n",
                  "- 'q.example/acme'\n- 'q.example/\"b'\n- 'q.example/it''s'\n" },
                { QUOTING_YAML, 2, "a: [%[%k%|,%]]", "a: [\"q.example/acme\",\"q.example/\\\"b\"]" },
                { QUOTING_SHELL, 3, "%[\nKEY_%#=%k\n%]\n",
                  "KEY_0=q.example/acme\nKEY_1=q.example/\\\"b\nKEY_2=q.example/it\\'s\n" },
                { QUOTING_YAML, 3, "a: [%['%k'%|, %]]\n",
                  "a: ['q.example/acme', 'q.example/\"b', 'q.example/it''s']\n" },
                { QUOTING_YAML, 0, "a: [%['%k'%|, %]]\n", "a: []\n" },
                { QUOTING_YAML, 2, "[b%[, '%k'%]]", "[b, 'q.example/acme', 'q.example/\"b']" },
                { QUOTING_YAML, 3, "a: b%[, %#%]", "a: b, 0, 1, 2" },
                { QUOTING_YAML, 2, "a: [%['%k'%]]", "a: ['q.example/acme''q.example/\"b']" },
                { QUOTING_SHELL, 2, "%[A=%#%]", "A=0A=1" },
                { QUOTING_YAML, 1, "a: it is %k\n- - '%k'\n? \"b\": 'c'\n!t 'x %k': &y \"%k\" # it's '\n",
                  "a: it is q.example/acme\n- - 'q.example/acme'\n? \"b\": 'c'\n"
                  "!t 'x q.example/acme': &y \"q.example/acme\" # it's '\n" },
                { QUOTING_YAML, 1,
                  "{\n\"a\": [ b c, '%k', {d : %k}], # '\n'it''s': '%k', e: \"%k\"}\nf: '%k'\n",
                  "{\n\"a\": [ b c, 'q.example/acme', {d : \"q.example/acme\"}], # '\n"
                  "'it''s': 'q.example/acme', e: \"q.example/acme\"}\nf: 'q.example/acme'\n" },
                { QUOTING_YAML, 2, "a: ['%[%k%|','%]']\n", "a: ['q.example/acme','q.example/\"b']\n" },
                { QUOTING_SHELL, 1, "A=\\$%k B=\"\\$%k\" C='$%k' D=$%%$H/%k # $%k\nE=$H",
                  "A=\\$q.example/acme B=\"\\$q.example/acme\" C='$q.example/acme' D=$%$H/q.example/acme"
                  " # $q.example/acme\n"
                  "E=$H" },
                { QUOTING_SHELL, 3, "A=\"%[%k%|,%]\" B=%[%#%|,%]\n",
                  "A=\"q.example/acme,q.example/\\\"b,q.example/it's\" B=0,1,2\n" },
                { QUOTING_SHELL, 1, "A=\"${HOME}/%k\" B='$(`' C=\\`%k # <<$(\n%k E=$(id)\n",
                  "A=\"${HOME}/q.example/acme\" B='$(`' C=\\`q.example/acme # <<$(\n"
                  "q.example/acme E=$(id)\n" },
                { QUOTING_TOML, 1, "a = '' # '''\nb = \"%k\"\n", "a = '' # '''\nb = \"q.example/acme\"\n" },
                { QUOTING_SHELL, 3, "for i in %[%k%| %]; do :; done",
                  "for i in q.example/acme q.example/\\\"b q.example/it\\'s; do :; done" },
                { QUOTING_JSON, 2, "[%[%#,%]%k]", "[0,1,\"q.example/acme\"]" },
                { QUOTING_TOML, 1, "[host.\"https://%k\"]\nn = %{ns}",
                  "[host.\"https://q.example/acme\"]\nn = \"edge\"" },
        };

        check_made(rows, ELEMENTSOF(rows));
}

static void what_is_wrong_is_told_with_its_place(void **state) {
        static const Refused rows[] = {
                { QUOTING_PLAIN, "a\nb %", 2, 3, "%", "written as two" },
                { QUOTING_PLAIN, "% k", 1, 1, "%", "written as two" },
                { QUOTING_PLAIN, "%ü", 1, 1, "%", "ASCII" },
                { QUOTING_PLAIN, "\n\n%z", 3, 1, "%z", "no such specifier outside" },
                { QUOTING_PLAIN, "%[%z%]", 1, 3, "%z", "no such specifier in this loop" },
                { QUOTING_PLAIN, "%m", 1, 1, "%m", "several" },
                { QUOTING_PLAIN, "a %[ b", 1, 3, "%[", "not closed" },
                { QUOTING_PLAIN, "%]", 1, 1, "%]", "in no loop" },
                { QUOTING_PLAIN, "%|", 1, 1, "%|", "in no loop" },
                { QUOTING_PLAIN, "%[%)", 1, 3, "%)", "other kind" },
                { QUOTING_PLAIN, "%[%(", 1, 3, "%(", "no loops in loops" },
                { QUOTING_PLAIN, "%[%|%|%]", 1, 5, "%|", "already" },
                { QUOTING_PLAIN, "%{ns", 1, 1, "%{", "closing brace" },
                { QUOTING_PLAIN, "%{ns\n}", 1, 1, "%{", "closing brace" },
                { QUOTING_PLAIN, "%{Ns}", 1, 1, "%{Ns}", "small letters" },
                { QUOTING_PLAIN, "%{}", 1, 1, "%{}", "small letters" },
                { QUOTING_PLAIN, "%{:x}", 1, 1, "%{:x}", "small letters" },
                { QUOTING_PLAIN, "%{none}", 1, 1, "%{none}", "no such variable" },
                { QUOTING_PLAIN, "%l", 1, 1, "%l", "cannot be written" },
                { QUOTING_PLAIN, "%{a:b c}", 1, 1, "%{a:b c}", "cannot be written" },
                { QUOTING_JSON, "{%[\"a: 1%]}", 1, 9, "%]", "not closed" },
                { QUOTING_JSON, "{%[\"a\": 1%|, \"%]}", 1, 15, "%]", "not closed" },
                /* The quote of the second turn would open no string: its value would not be quoted. */
                { QUOTING_YAML, "%['%k': 1\n%|c%]", 2, 4, "%]", "blank or a %| between turns" },
                { QUOTING_YAML, "a: b %l", 1, 6, "%l", "cannot be written" },
                { QUOTING_YAML, "a: [b %l]", 1, 7, "%l", "cannot be written" },
                { QUOTING_YAML, "a: b,#%l", 1, 7, "%l", "cannot be written" },
                { QUOTING_YAML, "a: [%[%k%]]", 1, 9, "%]", "blank or a %| between turns" },
                { QUOTING_SHELL, "A=x%[#'%k' %]\n", 1, 12, "%]", "blank or a %| between turns" },
                /* Without a turn, this is a comment, and the next line none. */
                { QUOTING_SHELL, "%[A%#%| %]# '\nB=%{ns} '", 2, 3, "%{ns}", "touches the loop" },
                { QUOTING_SHELL, "%[A%#%| %]%(B%#%| %)", 1, 11, "%(", "touches the loop" },
                { QUOTING_SHELL, "%['%|' %]", 1, 4, "%|", "not closed" },
                /* These have quotes of their own, in which a value would not stay one. */
                { QUOTING_SHELL, "A=\"$(echo '%k')\"", 1, 12, "%k", "not understood" },
                { QUOTING_SHELL, "A=`echo \"%k\"`", 1, 10, "%k", "not understood" },
                { QUOTING_SHELL, "cat <<EOF\nit's %k", 2, 6, "%k", "not understood" },
                { QUOTING_SHELL, "A=\"${B:-'%k'}\"", 1, 10, "%k", "not understood" },
                { QUOTING_SHELL, "A=$'\\'' B='%k'", 1, 12, "%k", "not understood" },
                { QUOTING_SHELL, "A=\"$%k\"", 1, 5, "%k", "not understood" },
                { QUOTING_SHELL, "A=$%k", 1, 4, "%k", "write this earlier" },
                { QUOTING_SHELL, "A=\"$USER_%k\"", 1, 10, "%k", "not understood" },
                { QUOTING_SHELL, "A=$%[(%k)%| %]", 1, 7, "%k", "not understood" },
                { QUOTING_SHELL, "%[A=%#`id` %]", 1, 12, "%]", "not understood" },
                { QUOTING_TOML, "a = '''it's %k'''", 1, 13, "%k", "not understood" },
                { QUOTING_TOML, "a = \"\"\"\n\"%k\"", 2, 2, "%k", "not understood" },
                { QUOTING_SHELL, "A=\\%k", 1, 4, "%k", "backslash" },
                { QUOTING_YAML, "a: 'x %l'", 1, 7, "%l", "cannot be written" },
                { QUOTING_PLAIN, "a\xff", 1, 1, "", "UTF-8" },
        };

        check_refused(rows, ELEMENTSOF(rows));
}

static void brackets_and_strings_of_yaml_are_known(void **state) {
        static const Made rows[] = {
                { QUOTING_YAML, 2, "a:\n%[\n  - {b: '%k', c: '%k'}\n%]\nf: ['x']\ne: '%k'\n",
                  "a:\n  - {b: 'q.example/acme', c: 'q.example/acme'}\n  - {b: 'q.example/\"b', "
                  "c: 'q.example/\"b'}\nf: ['x']\ne: 'q.example/acme'\n" },
                { QUOTING_YAML, 2, "[%[{a: '%k'}%|, %]]", "[{a: 'q.example/acme'}, {a: 'q.example/\"b'}]" },
                { QUOTING_YAML, 2, "a: [%['%k'%]]\nb: '%k'",
                  "a: ['q.example/acme''q.example/\"b']\nb: 'q.example/acme'" },
                { QUOTING_YAML, 3, "{%[\"%k\":{\"a\":\"x # %k\",'b':'x, \"y %k',\"c\":%#,\"f\":%k}%|,%]}",
                  "{\"q.example/acme\":{\"a\":\"x # q.example/acme\",'b':'x, \"y q.example/acme',\"c\":0,"
                  "\"f\":\"q.example/acme\"},"
                  "\"q.example/\\\"b\":{\"a\":\"x # q.example/\\\"b\",'b':'x, \"y q.example/\"b',"
                  "\"c\":1,\"f\":\"q.example/\\\"b\"},"
                  "\"q.example/it's\":{\"a\":\"x # q.example/it's\",'b':'x, \"y q.example/it''s',"
                  "\"c\":2,\"f\":\"q.example/it's\"}}" },
                { QUOTING_YAML, 1, "{a:\"b, c: \"%k\"}", "{a:\"b, c: \"q.example/acme\"}" },
        };

        check_made(rows, ELEMENTSOF(rows));
}

static void quotes_that_yaml_does_not_see_are_refused(void **state) {
        static const Refused rows[] = {
                /* Blanks and commas end no text without quotes, and a quote in it opens nothing. */
                { QUOTING_YAML, "a: b '%k'", 1, 7, "%k", "not understood" },
                { QUOTING_YAML, "a: b, \"%k\"", 1, 8, "%k", "not understood" },
                { QUOTING_YAML, "a: [c, b \"%k\"]", 1, 11, "%k", "not understood" },
                { QUOTING_YAML, "a: -b '%k'", 1, 8, "%k", "not understood" },
                { QUOTING_YAML, "x: ['y']\na: b, \"%k\"", 2, 8, "%k", "not understood" },
                /* Not every reader takes these for strings and comments, or for none. */
                { QUOTING_YAML, "{\"a\" :\"x # %k\"}", 1, 12, "%k", "not understood" },
                { QUOTING_YAML, "{[a]:'x # %k'}", 1, 11, "%k", "not understood" },
                { QUOTING_YAML, "{?\"x # %k\"}", 1, 8, "%k", "not understood" },
                { QUOTING_YAML, "{\"a\":#%k\n}", 1, 7, "%k", "not understood" },
                { QUOTING_YAML, "a: 'b', '%k'", 1, 10, "%k", "not understood" },
        };

        check_refused(rows, ELEMENTSOF(rows));
}

static void what_the_source_says_ends_it(void **state) {
        TemplateError error = {};
        Secret *made = NULL;

        assert_int_equal(render("%x", QUOTING_PLAIN, 1, &made, &error), -EIO);
        assert_int_equal(render("%e", QUOTING_PLAIN, 1, &made, &error), -ENODATA);
        assert_null(made);
}

static void a_nul_is_no_text(void **state) {
        Template *t = NULL;
        TemplateError error = {};

        assert_int_equal(template_parse("a\0b", 3, QUOTING_PLAIN, &t, &error), -EBADMSG);
        assert_null(t);
}

static void size_is_bounded(void **state) {
        _cleanup_free_ char *text = malloc(TEMPLATE_MAX + 1);
        _cleanup_(template_freep) Template *t = NULL;
        const TemplateSource source = { count, value, variable, &(Example){ 1000 }, "" };
        Template *none = NULL;
        Secret *made = NULL;
        TemplateError error = {};

        assert_non_null(text);
        (void) memset(text, 'a', TEMPLATE_MAX + 1);
        assert_int_equal(template_parse(text, TEMPLATE_MAX + 1, QUOTING_PLAIN, &none, &error), -E2BIG);
        (void) memcpy(text, "%[", 2);
        (void) memcpy(text + TEMPLATE_MAX - 2, "%]", 2);
        assert_ok(template_parse(text, TEMPLATE_MAX, QUOTING_PLAIN, &t, &error));
        assert_int_equal(template_render(t, &source, &made, &error), -E2BIG);
        assert_null(made);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_text_becomes_what_it_says),
                cmocka_unit_test(what_is_wrong_is_told_with_its_place),
                cmocka_unit_test(brackets_and_strings_of_yaml_are_known),
                cmocka_unit_test(quotes_that_yaml_does_not_see_are_refused),
                cmocka_unit_test(what_the_source_says_ends_it),
                cmocka_unit_test(a_nul_is_no_text),
                cmocka_unit_test(size_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
