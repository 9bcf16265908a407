/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands around a value, and how it is written there. */

#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/text.h"
#include "codec/quoting.h"

static void a_place_is_known_by_what_stands_in_front_of_it(void **state) {
        static const struct {
                QuotingLanguage language;
                const char *text;
                QuotingContext context;
                bool word;
        } rows[] = {
                { QUOTING_JSON, "", QUOTING_BARE, false },
                { QUOTING_JSON, "{\"a\": ", QUOTING_BARE, false },
                { QUOTING_JSON, "{\"a\": \"", QUOTING_DOUBLE, false },
                { QUOTING_JSON, "{\"a\": \"b\\\"", QUOTING_DOUBLE, false },
                { QUOTING_JSON, "{\"a\": \"b\\\\\"", QUOTING_BARE, true },
                { QUOTING_JSON, "# '", QUOTING_BARE, true },
                { QUOTING_YAML, "a: '", QUOTING_SINGLE, false },
                { QUOTING_YAML, "a: 'it''s'", QUOTING_BARE, true },
                { QUOTING_YAML, "a: 'it''", QUOTING_SINGLE, false },
                { QUOTING_YAML, "a: 'it'' ", QUOTING_SINGLE, false },
                { QUOTING_YAML, "a: ''", QUOTING_BARE, true },
                { QUOTING_YAML, "a: '' ", QUOTING_BARE, false },
                { QUOTING_YAML, "a: it's", QUOTING_BARE, true },
                { QUOTING_YAML, "a: say\"", QUOTING_BARE, true },
                { QUOTING_YAML, "a: 'b\\'", QUOTING_BARE, true },
                { QUOTING_YAML, "a: [\"", QUOTING_DOUBLE, false },
                { QUOTING_YAML, "{\"a\":\"b # c", QUOTING_DOUBLE, false },
                { QUOTING_YAML, "{'a':'b, \"c", QUOTING_SINGLE, false },
                { QUOTING_YAML, "{'a''b':'c'", QUOTING_BARE, true },
                { QUOTING_YAML, "{a:\"b # c", QUOTING_COMMENT, false },
                { QUOTING_YAML, "# it's \"", QUOTING_COMMENT, false },
                { QUOTING_YAML, "# it's \"\na: ", QUOTING_BARE, false },
                { QUOTING_YAML, "a: b#", QUOTING_BARE, true },
                { QUOTING_TOML, "[host.\"", QUOTING_DOUBLE, false },
                { QUOTING_TOML, "a = '\\", QUOTING_SINGLE, false },
                { QUOTING_TOML, "a = 1# \"", QUOTING_COMMENT, false },
                { QUOTING_SHELL, "A=", QUOTING_BARE, true },
                { QUOTING_SHELL, "A=\\\"", QUOTING_BARE, true },
                { QUOTING_SHELL, "A=b\"", QUOTING_DOUBLE, false },
                { QUOTING_SHELL, "A='\\'", QUOTING_BARE, true },
                { QUOTING_SHELL, "A=a#", QUOTING_BARE, true },
                { QUOTING_SHELL, "A=a; # '", QUOTING_COMMENT, false },
                { QUOTING_PLAIN, "machine \"'#", QUOTING_BARE, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                QuotingState s = {};

                quoting_advance(rows[i].language, &s, rows[i].text, strlen(rows[i].text));
                if (s.context != rows[i].context || (s.context == QUOTING_BARE && s.word != rows[i].word))
                        fail_msg("'%s' ends in %d, %d", rows[i].text, s.context, s.word);
        }
}

static void it_makes_no_difference_where_a_text_is_cut(void **state) {
        static const char text[] = "a: \"b\\\"c\" # 'd\n'e\\' f=\\'g [\"h\"] 'i''j' {\"k\":\"l\"} \"";

        for (QuotingLanguage l = 0; l < _QUOTING_MAX; l++)
                for (size_t cut = 0; cut < sizeof(text); cut++) {
                        QuotingState whole = {}, pieces = {};

                        quoting_advance(l, &whole, text, sizeof(text) - 1);
                        quoting_advance(l, &pieces, text, cut);
                        quoting_advance(l, &pieces, text + cut, sizeof(text) - 1 - cut);
                        assert_true(quoting_state_equal(l, &whole, &pieces));
                }
}

static void a_value_is_written_so_that_it_stays_one(void **state) {
        static const struct {
                QuotingLanguage language;
                QuotingPlace place;
                const char *value;
                const char *written; /* NULL: it cannot be */
        } rows[] = {
                { QUOTING_JSON, {}, "a\"b\\c\n", "\"a\\\"b\\\\c\\u000a\"" },
                { QUOTING_JSON, { .number = true }, "42", "42" },
                { QUOTING_JSON, { QUOTING_DOUBLE, .number = true }, "42", "42" },
                { QUOTING_JSON, { QUOTING_DOUBLE }, "ü\x7f", "ü\\u007f" },
                { QUOTING_JSON, { QUOTING_DOUBLE }, "\xff", NULL },
                { QUOTING_YAML, {}, "yes: #", "\"yes: #\"" },
                { QUOTING_YAML, {}, "", "\"\"" },
                { QUOTING_YAML, { .joined = true }, "quay.io/a+b", "quay.io/a+b" },
                { QUOTING_YAML, { .joined = true }, "a: b", NULL },
                { QUOTING_YAML, { .joined = true }, "a:", NULL },
                { QUOTING_YAML, { .joined = true }, "-", NULL },
                { QUOTING_YAML, { QUOTING_SINGLE }, "it's \\", "it''s \\" },
                { QUOTING_YAML, { QUOTING_SINGLE }, "a\nb", NULL },
                { QUOTING_YAML, { QUOTING_COMMENT }, "it's", "it's" },
                { QUOTING_YAML, { QUOTING_COMMENT }, "a\nb: c", NULL },
                { QUOTING_TOML, {}, "a\tb", "\"a\\u0009b\"" },
                { QUOTING_TOML, { QUOTING_SINGLE }, "a\\b", "a\\b" },
                { QUOTING_TOML, { QUOTING_SINGLE }, "it's", NULL },
                { QUOTING_SHELL, {}, "acme+edge", "acme+edge" },
                { QUOTING_SHELL, {}, "", "''" },
                { QUOTING_SHELL, {}, "-n", "\\-n" },
                { QUOTING_SHELL, { .joined = true }, "", "" },
                { QUOTING_SHELL, { .joined = true }, "it's $HOMÉ", "it\\'s\\ \\$HOMÉ" },
                { QUOTING_SHELL, {}, "a\nb", NULL },
                { QUOTING_SHELL, { QUOTING_DOUBLE }, "\"$a`b\\", "\\\"\\$a\\`b\\\\" },
                { QUOTING_SHELL, { QUOTING_SINGLE }, "it's", "it'\"'\"'s" },
                { QUOTING_SHELL, { QUOTING_DOUBLE }, "a\nb", NULL },
                { QUOTING_PLAIN, {}, "it's\"", "it's\"" },
                { QUOTING_PLAIN, {}, "a b", NULL },
                { QUOTING_PLAIN, {}, "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t size = strlen(rows[i].value), n = 0, again = 0;
                _cleanup_free_ char *out = calloc(1, QUOTING_ROOM(size) + 1);
                int r;

                assert_non_null(out);
                r = quoting_write(rows[i].language, &rows[i].place, rows[i].value, size, NULL, &n);
                assert_int_equal(r, rows[i].written ? 0 : -EILSEQ);
                if (r < 0)
                        continue;
                assert_true(n <= QUOTING_ROOM(size));
                assert_ok(quoting_write(rows[i].language, &rows[i].place, rows[i].value, size, out, &again));
                assert_int_equal(n, again);
                assert_string_equal(out, rows[i].written);
        }
}

/* Everything that a word may hold, read back by shells themselves. */
static void a_shell_reads_back_what_was_written(void **state) {
        static const struct {
                QuotingContext context;
                const char *around;
        } rows[] = { { QUOTING_BARE, "" }, { QUOTING_SINGLE, "'" }, { QUOTING_DOUBLE, "\"" } };
        static const char value[] = "a !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ $HOME $(id) `id` ü";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char out[QUOTING_ROOM(sizeof(value))] = "", read[sizeof(value) + 1] = "";
                _cleanup_free_ char *script = NULL;
                QuotingPlace place = { .context = rows[i].context, .joined = true };
                FILE *pipe;
                size_t n;

                assert_ok(quoting_write(QUOTING_SHELL, &place, value, sizeof(value) - 1, out, &n));
                assert_ok(text_format(&script, "A=%s%.*s%s\nprintf %%s \"$A\"\n", rows[i].around, (int) n,
                                      out, rows[i].around));
                pipe = popen(script, "r");
                assert_non_null(pipe);
                n = fread(read, 1, sizeof(read) - 1, pipe);
                assert_int_equal(pclose(pipe), 0);
                assert_int_equal(n, sizeof(value) - 1);
                assert_string_equal(read, value);
        }
}

static void json_reads_back_what_was_written(void **state) {
        static const char value[] = "a\"b\\c\n\t\x01\x7f/ü'";
        char out[QUOTING_ROOM(sizeof(value))] = "";
        json_object *o;
        size_t n;

        assert_ok(quoting_write(QUOTING_JSON, &(QuotingPlace){}, value, sizeof(value) - 1, out, &n));
        o = json_tokener_parse(out);
        assert_non_null(o);
        assert_string_equal(json_object_get_string(o), value);
        json_object_put(o);
}

static void languages_have_names(void **state) {
        for (QuotingLanguage l = 0; l < _QUOTING_MAX; l++)
                assert_int_equal(quoting_from_string(quoting_to_string(l)), l);
        assert_int_equal(quoting_from_string("xml"), _QUOTING_INVALID);
        assert_null(quoting_to_string(_QUOTING_MAX));
        assert_null(quoting_to_string(_QUOTING_INVALID));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_place_is_known_by_what_stands_in_front_of_it),
                cmocka_unit_test(it_makes_no_difference_where_a_text_is_cut),
                cmocka_unit_test(a_value_is_written_so_that_it_stays_one),
                cmocka_unit_test(a_shell_reads_back_what_was_written),
                cmocka_unit_test(json_reads_back_what_was_written),
                cmocka_unit_test(languages_have_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
