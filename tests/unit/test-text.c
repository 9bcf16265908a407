/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Strings and vectors of strings; above all that cleaned text is fit for a line, a terminal and a bus. */

#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "base/text.h"
#include "draw.h"

#define ELLIPSIS "…"

static void null_equals_only_null(void **state) {
        assert_true(streq_ptr(NULL, NULL));
        assert_false(streq_ptr(NULL, ""));
        assert_false(streq_ptr("", NULL));
        assert_true(streq_ptr("a", "a"));
        assert_false(streq_ptr("a", "A"));
}

static void prefixes_and_suffixes_give_the_rest(void **state) {
        const char *s = "org.pullauth1";

        assert_ptr_equal(startswith(s, "org."), s + 4);
        assert_ptr_equal(startswith(s, ""), s);
        assert_null(startswith(s, "org.pullauth12"));
        assert_null(startswith("", "o"));
        assert_ptr_equal(endswith(s, "auth1"), s + 8);
        assert_ptr_equal(endswith(s, ""), s + 13);
        assert_ptr_equal(endswith(s, s), s);
        assert_null(endswith(s, "auth"));
        assert_null(endswith("1", s));
}

static void replacing_a_string_tells_whether_it_changed(void **state) {
        _cleanup_free_ char *p = NULL;

        assert_int_equal(free_and_strdup(&p, NULL), 0);
        assert_int_equal(free_and_strdup(&p, "a"), 1);
        assert_int_equal(free_and_strdup(&p, "a"), 0);
        assert_int_equal(free_and_strdup(&p, "b"), 1);
        assert_string_equal(p, "b");
        assert_int_equal(free_and_strdup(&p, p), 0);
        assert_int_equal(free_and_strdup(&p, NULL), 1);
        assert_null(p);
}

static void formatted_text_is_allocated(void **state) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(text_format(&text, "%s-%d", "x", 7), 0);
        assert_string_equal(text, "x-7");
}

static void tokens_are_printable_ascii_without_blanks(void **state) {
        for (unsigned c = 1; c < 256; c++) {
                const char s[] = { 'a', (char) c, 'b', 0 };

                assert_int_equal(text_is_token(s), c > 0x20 && c < 0x7f);
        }
        assert_true(text_is_token(""));
}

/* Without any check, so that it makes the forbidden forms as well. */
static size_t encode(uint32_t c, size_t length, char *ret) {
        static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

        if (length == 1) {
                ret[0] = (char) c;
                return 1;
        }
        ret[0] = (char) (lead[length] | c >> (6 * (length - 1)));
        for (size_t i = 1; i < length; i++)
                ret[i] = (char) (0x80 | (c >> (6 * (length - 1 - i)) & 0x3f));
        return length;
}

static size_t shortest(uint32_t c) {
        return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void each_character_is_utf8_in_its_shortest_form_only(void **state) {
        for (uint32_t c = 0; c < 0x1fffff; c++) {
                bool valid = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
                char bytes[4];

                for (size_t length = shortest(c); length <= 4; length++) {
                        size_t n = encode(c, length, bytes);

                        if (text_is_utf8(bytes, n) != (valid && length == shortest(c)))
                                fail_msg("U+%04X in %zu bytes", c, length);
                        if (n > 1 && text_is_utf8(bytes, n - 1))
                                fail_msg("U+%04X without its last byte", c);
                }
        }
}

static void stray_bytes_are_not_utf8(void **state) {
        assert_true(text_is_utf8("", 0));
        assert_true(text_is_utf8("a\0b", 3));
        for (unsigned c = 0x80; c < 256; c++) {
                const char s[] = { (char) c, 'a', 'a', 'a', 'a' };

                assert_false(text_is_utf8(s, 1));
                assert_false(text_is_utf8(s, sizeof(s)));
        }
}

static void cleaned_is(const char *data, size_t size, size_t max, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(text_clean(data, size, max, &text), 0);
        assert_string_equal(text, wanted);
}

static void cleaning_makes_one_printable_line(void **state) {
        cleaned_is("", 0, 64, "");
        cleaned_is("plain", 5, 64, "plain");
        cleaned_is("  a \t\r\n b\n", 10, 64, "a b");
        cleaned_is("a\0b", 3, 64, "a b");
        cleaned_is("\x1b[31mred\x1b[0m", 12, 64, "[31mred [0m");
        cleaned_is("a\x7f"
                   "b",
                   3, 64, "a b");
        cleaned_is("a\xc2\x9b"
                   "b",
                   4, 64, "a b"); /* C1: CSI */
        cleaned_is("a\xe2\x80\xa8"
                   "b\xe2\x80\xa9",
                   8, 64, "a b"); /* line and paragraph separator */
        cleaned_is("a\xe2\x80\xae"
                   "b\xe2\x81\xa6"
                   "c",
                   9, 64, "a b c"); /* right-to-left override, isolate */
        cleaned_is("a\xff"
                   "b",
                   3, 64,
                   "a\xef\xbf\xbd"
                   "b");
        cleaned_is("\xed\xa0\x80", 3, 64, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
        cleaned_is("\xef\xbf\xbf", 3, 64, "\xef\xbf\xbd");                         /* U+FFFF */
        cleaned_is("grün ♥", 10, 64, "grün ♥");
}

static void cleaning_cuts_at_a_character_with_an_ellipsis(void **state) {
        cleaned_is("abcdef", 6, 6, "abcdef");
        cleaned_is("abcdef", 6, 5, "ab" ELLIPSIS);
        cleaned_is("abcdef", 6, 4, "a" ELLIPSIS);
        cleaned_is("ab cdef", 7, 6, "ab" ELLIPSIS);
        cleaned_is("üüüü", 8, 7, "üü" ELLIPSIS);
        cleaned_is("üüüü", 8, 6, "ü" ELLIPSIS);
        cleaned_is("abcd    \n", 9, 4, "abcd");
        cleaned_is("♥♥", 6, 4, ELLIPSIS);
}

/* Bytes as they come from outside: letters, blanks, controls, whole characters of each length, torn ones. */
static size_t draw_bytes(Draw *d, char *ret, size_t max) {
        size_t size = 0, wanted = draw_below(d, max - 4);

        while (size < wanted)
                switch (draw_below(d, 6)) {
                case 0:
                        ret[size++] = (char) draw(d);
                        break;
                case 1:
                        ret[size++] = " \n\t\x1b"[draw_below(d, 4)];
                        break;
                case 2: {
                        uint32_t c = (uint32_t) draw_below(d, 0x3000);

                        size += encode(c, shortest(c), ret + size);
                        break;
                }
                case 3: {
                        uint32_t c = (uint32_t) draw_below(d, 0x110000);

                        size += encode(c, shortest(c), ret + size);
                        break;
                }
                default:
                        ret[size++] = (char) ('a' + draw_below(d, 26));
                }
        return size;
}

static sd_bus *new_bus(int fds[static 2]) {
        sd_bus *bus = NULL;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        return bus;
}

static void assert_fit(const char *text, size_t max, sd_bus *bus) {
        sd_bus_message *m = NULL;
        size_t size = strlen(text);

        assert_true(size <= max);
        assert_true(text_is_utf8(text, size));
        for (const char *c = text; *c; c++)
                assert_true((unsigned char) *c >= ' ' && *c != 0x7f);
        assert_null(strstr(text, "  "));
        assert_true(size == 0 || (text[0] != ' ' && text[size - 1] != ' '));
        assert_true(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "C") >= 0);
        assert_true(sd_bus_message_append_basic(m, 's', text) >= 0);
        sd_bus_message_unref(m);
}

static void cleaned_text_fits_a_line_and_a_bus_and_stays_as_it_is(void **state) {
        Draw d = { 1 };
        int fds[2];
        sd_bus *bus = new_bus(fds);

        for (unsigned i = 0; i < 20000; i++) {
                _cleanup_free_ char *whole = NULL, *cut = NULL, *again = NULL;
                size_t max = 4 + draw_below(&d, 80), size, length;
                char bytes[128];

                size = draw_bytes(&d, bytes, sizeof(bytes));
                assert_int_equal(text_clean(bytes, size, 3 * sizeof(bytes), &whole), 0);
                assert_fit(whole, 3 * sizeof(bytes), bus);
                assert_int_equal(text_clean(bytes, size, max, &cut), 0);
                assert_fit(cut, max, bus);

                if (strlen(whole) <= max)
                        assert_string_equal(cut, whole);
                else {
                        assert_non_null(endswith(cut, ELLIPSIS));
                        length = strlen(cut) - strlen(ELLIPSIS);
                        assert_memory_equal(cut, whole, length);
                        /* A character more, with the blank before it, would have been too long. */
                        assert_true(length + strlen(ELLIPSIS) + 5 > max);
                }
                assert_int_equal(text_clean(cut, strlen(cut), max, &again), 0);
                assert_string_equal(again, cut);
        }
        sd_bus_close_unref(bus);
        close(fds[1]);
}

static void vectors_grow_and_compare(void **state) {
        _cleanup_strv_ char **a = NULL, **b = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_true(strv_equal(NULL, NULL));
        assert_false(strv_contains(NULL, "x"));
        assert_int_equal(strv_append(&a, "x"), 0);
        assert_int_equal(strv_consume(&a, strdup("y")), 0);
        assert_int_equal(strv_length(a), 2);
        assert_true(strv_contains(a, "y"));
        assert_false(strv_contains(a, ""));
        assert_false(strv_equal(a, NULL));
        assert_int_equal(strv_copy(a, &b), 0);
        assert_true(strv_equal(a, b));
        assert_ptr_not_equal(a[0], b[0]);
        free(b[1]);
        b[1] = strdup("z");
        assert_false(strv_equal(a, b));
        assert_int_equal(strv_consume(&a, NULL), -ENOMEM);
        assert_int_equal(strv_length(a), 2);
}

static void nothing_is_an_empty_vector(void **state) {
        _cleanup_strv_ char **copy = NULL, **words = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(strv_copy(NULL, &copy), 0);
        assert_non_null(copy);
        assert_null(copy[0]);
        assert_true(strv_equal(copy, NULL));
        assert_int_equal(strv_split_words("", &words), 0);
        assert_non_null(words);
        assert_null(words[0]);
        assert_int_equal(strv_join(NULL, ",", &text), 0);
        assert_string_equal(text, "");
        strv_sort(NULL);
        assert_null(strv_free(NULL));
}

static void words_split_at_any_blanks(void **state) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(strv_split_words(" \t a  bc\n\r\"d e\" ", &words), 0);
        assert_int_equal(strv_join(words, "|", &text), 0);
        assert_string_equal(text, "a|bc|\"d|e\"");
}

static void joined_words_split_into_the_same_words(void **state) {
        Draw d = { 2 };

        for (unsigned i = 0; i < 2000; i++) {
                _cleanup_strv_ char **words = NULL, **again = NULL;
                _cleanup_free_ char *text = NULL;

                for (uint64_t n = draw_below(&d, 6); n > 0; n--) {
                        char word[8] = {};

                        for (size_t k = 0; k < 1 + draw_below(&d, 6); k++)
                                word[k] = (char) ('!' + draw_below(&d, 94));
                        assert_int_equal(strv_append(&words, word[0] ? word : "w"), 0);
                }
                assert_int_equal(strv_join(words, i % 2 ? " " : "\n\t ", &text), 0);
                assert_int_equal(strv_split_words(text, &again), 0);
                assert_true(strv_equal(words, again));
        }
}

static void sorting_orders_by_bytes(void **state) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(strv_split_words("b a ab B é a", &words), 0);
        strv_sort(words);
        assert_int_equal(strv_join(words, NULL, &text), 0);
        assert_string_equal(text, "Baaabbé");
}

static void the_loop_visits_each_member_once(void **state) {
        _cleanup_strv_ char **words = NULL;
        size_t n = 0;

        STRV_FOREACH(i, (char **) NULL)
                fail();
        assert_int_equal(strv_split_words("a b c", &words), 0);
        STRV_FOREACH(i, words)
                assert_string_equal(*i, words[n++]);
        assert_int_equal(n, 3);
}

static void lines_are_cleaned_without_losing_their_shape(void **state) {
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "", "" },
                { "{\n\t\"a\":  1\n}\n", "{\n\t\"a\":  1\n}\n" },
                { "a\rb\033[2Jc\177d", "a?b?[2Jc?d" },
                { "\xc2\x9bx\xe2\x80\xaey\xe2\x81\xa6z", "?x?y?z" },
                { "\xff\xfe"
                  "a\xc3",
                  "\xef\xbf\xbd\xef\xbf\xbd"
                  "a\xef\xbf\xbd" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = NULL;

                assert_int_equal(text_clean_lines(rows[i].in, strlen(rows[i].in), &text), 0);
                assert_string_equal(text, rows[i].out);
        }
}

static int _printf_(2, 3) format_clean(char **ret, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_format_clean(ret, 8, format, ap);
        va_end(ap);
        return r;
}

static void what_is_formatted_can_be_cleaned_at_once(void **state) {
        _cleanup_free_ char *text = NULL, *cut = NULL;

        assert_int_equal(format_clean(&text, "%d:%s", 7, "a\n\xff"), 0);
        assert_string_equal(text, "7:a \xef\xbf\xbd");
        assert_int_equal(format_clean(&cut, "%s", "123456789"), 0);
        assert_string_equal(cut, "12345\xe2\x80\xa6");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(null_equals_only_null),
                cmocka_unit_test(prefixes_and_suffixes_give_the_rest),
                cmocka_unit_test(replacing_a_string_tells_whether_it_changed),
                cmocka_unit_test(formatted_text_is_allocated),
                cmocka_unit_test(tokens_are_printable_ascii_without_blanks),
                cmocka_unit_test(each_character_is_utf8_in_its_shortest_form_only),
                cmocka_unit_test(stray_bytes_are_not_utf8),
                cmocka_unit_test(cleaning_makes_one_printable_line),
                cmocka_unit_test(cleaning_cuts_at_a_character_with_an_ellipsis),
                cmocka_unit_test(cleaned_text_fits_a_line_and_a_bus_and_stays_as_it_is),
                cmocka_unit_test(vectors_grow_and_compare),
                cmocka_unit_test(nothing_is_an_empty_vector),
                cmocka_unit_test(words_split_at_any_blanks),
                cmocka_unit_test(joined_words_split_into_the_same_words),
                cmocka_unit_test(sorting_orders_by_bytes),
                cmocka_unit_test(the_loop_visits_each_member_once),
                cmocka_unit_test(lines_are_cleaned_without_losing_their_shape),
                cmocka_unit_test(what_is_formatted_can_be_cleaned_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
