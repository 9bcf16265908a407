/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines and the words in them. */

#include "unit.h"

#include "base/text.h"
#include "codec/command.h"

static void words_are_what_a_shell_would_make_of_them(void **state) {
        static const struct {
                const char *line;
                const char *words; /* joined by '|' */
        } rows[] = {
                { "/bin/a", "/bin/a" },
                { "  /bin/a \t b  ", "/bin/a|b" },
                { "/bin/a 'b c' \"d e\" f\\ g", "/bin/a|b c|d e|f g" },
                { "/bin/a '' \"\"", "/bin/a||" },
                { "a'b'\"c\"d", "abcd" },
                { "a 'b\\c' \"b\\\\c\" b\\\"c", "a|b\\c|b\\c|b\"c" },
                { "a \"'\" '\"'", "a|'|\"" },
                { "a $HOME %h * `id` ; b && c > d # e", "a|$HOME|%h|*|`id`|;|b|&&|c|>|d|#|e" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_strv_ char **words = NULL;
                _cleanup_free_ char *joined = NULL;

                assert_int_equal(command_split(rows[i].line, &words), 0);
                assert_ok(strv_join(words, "|", &joined));
                assert_string_equal(joined, rows[i].words);
        }
}

static void what_has_no_end_is_refused(void **state) {
        static const char *const lines[] = { "", " \t", "a 'b", "a \"b", "a \"b\\\"", "a \\", "a 'b\\' c'" };
        char **words = NULL;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                assert_int_equal(command_split(lines[i], &words), -EINVAL);
        assert_null(words);
}

static void the_number_of_words_is_bounded(void **state) {
        char line[2 * COMMAND_WORDS_MAX + 2];
        _cleanup_strv_ char **words = NULL;

        for (size_t i = 0; i < COMMAND_WORDS_MAX; i++)
                (void) memcpy(line + 2 * i, "a ", 2);
        line[sizeof(line) - 2] = '\0';
        assert_int_equal(command_split(line, &words), 0);
        assert_int_equal(strv_length(words), COMMAND_WORDS_MAX);
        (void) memcpy(line + sizeof(line) - 2, "a", 2);
        words = strv_free(words);
        assert_int_equal(command_split(line, &words), -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_are_what_a_shell_would_make_of_them),
                cmocka_unit_test(what_has_no_end_is_refused),
                cmocka_unit_test(the_number_of_words_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
