/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wrapping, columns and character sets. */

#include <locale.h>

#include "base/text.h"
#include "ctl/page.h"
#include "unit.h"

static const Style utf8 = { .utf8 = true };
static const Style ascii = {};

static int setup(void **state) {
        return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

static void check_text(const Style *style, const char *text, const char *expected) {
        char *s = NULL;

        assert_int_equal(style_text(style, text, &s), 0);
        assert_string_equal(s, expected);
        free(s);
}

static void ascii_keeps_what_it_can_say(void **state) {
        check_text(&utf8, "a “b” → ü…", "a “b” → ü…");
        check_text(&ascii, "a “b” → ü… █░", "a \"b\" -> ?... #-");
        check_text(&ascii, "😀x", "?x");
        check_text(&ascii, "", "");
}

static void ascii_survives_bytes_that_are_no_characters(void **state) {
        check_text(&ascii, "a\xff\xc3", "a??");
        check_text(&ascii, "\x80\x80y", "?y");
}

static void widths_are_columns_not_bytes(void **state) {
        assert_int_equal(style_width(&utf8, "aüb", strlen("aüb")), 3);
        assert_int_equal(style_width(&utf8, "日本", strlen("日本")), 4);
        assert_int_equal(style_width(&utf8, "\xff\xff", 2), 2);
        assert_int_equal(style_width(&ascii, "abc", 3), 3);
}

static void columns_are_filled_up(void **state) {
        char *text = NULL;
        Page p;

        assert_int_equal(page_open(&p, &utf8), 0);
        page_column(&p, TONE_PLAIN, 5, "日本");
        page_column(&p, TONE_PLAIN, 2, "long");
        page_write(&p, TONE_PLAIN, "|");
        assert_int_equal(page_take(&p, &text), 0);
        assert_string_equal(text, "日本 long|");
        page_done(&p);
        free(text);
}

static void tones_close_before_the_filling(void **state) {
        const Style style = { .utf8 = true, .color = true };
        char *text = NULL;
        Page p;

        assert_int_equal(page_open(&p, &style), 0);
        page_column(&p, TONE_GOOD, 3, "a");
        page_write(&p, TONE_PLAIN, "b");
        assert_int_equal(page_take(&p, &text), 0);
        assert_string_equal(text, "\033[32ma\033[0m  b");
        page_done(&p);
        free(text);
}

static void no_line_is_wider_than_the_terminal_where_words_allow(void **state) {
        static const char words[] = "one two  three four five six seven eight nine ten eleven twelve";

        for (unsigned columns = 32; columns < 100; columns++) {
                const Style style = { .columns = columns };
                char *text = NULL;
                Page p;

                assert_int_equal(page_open(&p, &style), 0);
                page_field(&p, "Label", TONE_PLAIN, words);
                assert_int_equal(page_take(&p, &text), 0);
                for (char *line = text; *line; line += strcspn(line, "\n") + 1)
                        assert_in_range(strcspn(line, "\n"), 1, columns);
                page_done(&p);
                free(text);
        }
}

static void an_empty_field_is_a_line(void **state) {
        char *text = NULL;
        Page p;

        assert_int_equal(page_open(&p, &utf8), 0);
        page_field(&p, "Label", TONE_PLAIN, "");
        page_field(&p, NULL, TONE_PLAIN, "more");
        assert_int_equal(page_take(&p, &text), 0);
        assert_string_equal(text, "    Label: \n           more\n");
        page_done(&p);
        free(text);
}

static void states_have_tones(void **state) {
        assert_int_equal(state_tone("fresh"), TONE_GOOD);
        assert_int_equal(state_tone("failed"), TONE_BAD);
        assert_int_equal(state_tone("paused"), TONE_PLAIN);
        assert_string_equal(style_on(&ascii, TONE_BAD), "");
        assert_string_equal(style_off(&ascii, TONE_BAD), "");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(ascii_keeps_what_it_can_say),
                cmocka_unit_test(ascii_survives_bytes_that_are_no_characters),
                cmocka_unit_test(widths_are_columns_not_bytes),
                cmocka_unit_test(columns_are_filled_up),
                cmocka_unit_test(tones_close_before_the_filling),
                cmocka_unit_test(no_line_is_wider_than_the_terminal_where_words_allow),
                cmocka_unit_test(an_empty_field_is_a_line),
                cmocka_unit_test(states_have_tones),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
