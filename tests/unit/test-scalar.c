/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single values: taken whole or refused, and what is printed can be read back. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/scalar.h"
#include "draw.h"

#define UNTOUCHED UINT64_C(0x1234)

static void booleans_are_eight_words_in_any_case(void **state) {
        static const char *const yes[] = { "1", "yes", "true", "on", "YES", "True", "oN" };
        static const char *const no[] = { "0", "no", "false", "off", "No", "FALSE", "OFF" };
        static const char *const neither[] = { "",  " yes", "yes ", "y",  "n",      "t",
                                               "f", "2",    "01",   "-1", "enable", "o" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                assert_int_equal(parse_bool(yes[i]), 1);
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                assert_int_equal(parse_bool(no[i]), 0);
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                assert_int_equal(parse_bool(neither[i]), -EINVAL);
        assert_int_equal(parse_bool(NULL), -EINVAL);
}

static void numbers_read_back_as_printed(void **state) {
        Draw d = { 1 };

        for (unsigned i = 0; i < 20000; i++) {
                uint64_t value = draw_any_size(&d), read = 0;
                char text[32];

                snprintf(text, sizeof(text), "%" PRIu64, value);
                assert_int_equal(parse_u64(text, 0, UINT64_MAX, &read), 0);
                assert_int_equal(read, value);
                if (value < UINT64_MAX)
                        assert_int_equal(parse_u64(text, value + 1, UINT64_MAX, &read), -ERANGE);
                if (value > 0)
                        assert_int_equal(parse_u64(text, 0, value - 1, &read), -ERANGE);
        }
}

static void numbers_have_digits_only(void **state) {
        static const char *const bad[] = { "",    " 1",    "1 ",   "+1",
                                           "-1",  "-0",    "0x10", "1.0",
                                           "1e3", "1,000", "a",    "1a",
                                           "\n1", "1\n",   "٣",    "18446744073709551616x" };
        uint64_t value = UNTOUCHED;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(parse_u64(bad[i], 0, UINT64_MAX, &value), -EINVAL);
        assert_int_equal(parse_u64(NULL, 0, UINT64_MAX, &value), -EINVAL);
        assert_int_equal(value, UNTOUCHED);
}

static void numbers_beyond_64_bits_are_out_of_range(void **state) {
        uint64_t value = UNTOUCHED;

        assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
        assert_int_equal(value, UINT64_MAX);
        value = UNTOUCHED;
        assert_int_equal(parse_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
        assert_int_equal(parse_u64("99999999999999999999999999999999999", 0, UINT64_MAX, &value), -ERANGE);
        /* Wraps to a small number in careless arithmetic. */
        assert_int_equal(parse_u64("184467440737095516160", 0, UINT64_MAX, &value), -ERANGE);
        assert_int_equal(value, UNTOUCHED);
}

static void modes_are_octal_up_to_7777(void **state) {
        char text[16];
        mode_t mode = 0;

        for (unsigned m = 0; m <= 07777; m++) {
                snprintf(text, sizeof(text), m % 2 ? "%o" : "0%o", m);
                assert_int_equal(parse_mode(text, &mode), 0);
                assert_int_equal(mode, m);
        }
        assert_int_equal(parse_mode("10000", &mode), -ERANGE);
        assert_int_equal(parse_mode("7777777777777777777777777777", &mode), -ERANGE);
        assert_int_equal(parse_mode("0o644", &mode), -EINVAL);
        assert_int_equal(parse_mode("0648", &mode), -EINVAL);
        assert_int_equal(parse_mode("u=rw", &mode), -EINVAL);
        assert_int_equal(parse_mode("", &mode), -EINVAL);
        assert_int_equal(parse_mode(NULL, &mode), -EINVAL);
        assert_int_equal(mode, 07777);
}

static const struct {
        const char *name;
        usec_t usec;
} units[] = {
        { "", USEC_PER_SEC },
        { "us", 1 },
        { "ms", 1000 },
        { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "m", USEC_PER_MINUTE },
        { "min", USEC_PER_MINUTE },
        { "minute", USEC_PER_MINUTE },
        { "minutes", USEC_PER_MINUTE },
        { "h", USEC_PER_HOUR },
        { "hr", USEC_PER_HOUR },
        { "hour", USEC_PER_HOUR },
        { "hours", USEC_PER_HOUR },
        { "d", USEC_PER_DAY },
        { "day", USEC_PER_DAY },
        { "days", USEC_PER_DAY },
        { "w", 7 * USEC_PER_DAY },
        { "week", 7 * USEC_PER_DAY },
        { "weeks", 7 * USEC_PER_DAY },
};

static void spans_are_sums_of_numbers_with_units(void **state) {
        Draw d = { 2 };

        for (unsigned i = 0; i < 20000; i++) {
                usec_t wanted = 0, span = UNTOUCHED;
                char text[128];
                int used = 0;

                for (uint64_t n = 1 + draw_below(&d, 4); n > 0; n--) {
                        uint64_t number = draw_below(&d, 5000), unit = draw_below(&d, ELEMENTSOF(units));
                        /* Digits of the next number would run into those of a bare one. */
                        bool blank = draw_below(&d, 2) || !units[unit].name[0];

                        used += snprintf(text + used, sizeof(text) - (size_t) used, "%" PRIu64 "%s%s%s",
                                         number, draw_below(&d, 2) && units[unit].name[0] ? " " : "",
                                         units[unit].name, n > 1 && blank ? "  " : "");
                        wanted += number * units[unit].usec;
                }
                if (parse_span(text, &span) != 0 || span != wanted)
                        fail_msg("'%s' is %" PRIu64 ", not %" PRIu64, text, wanted, span);
        }
}

static void spans_are_refused_unless_whole(void **state) {
        static const char *const bad[] = {
                "",         " ",         "s",           " 5s", "5s ",    "5 min ",
                "-5s",      "+5",        "1.5h",        "5x",  "5 mins", "5S",
                "5M",       "5month",    "5y",          "5s,", "5ss",    "min 5",
                "Infinity", "infinity ", "1h infinity", "5\n", "5\n6",   "99999999999999999999x"
        };
        usec_t span = UNTOUCHED;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (parse_span(bad[i], &span) != -EINVAL)
                        fail_msg("'%s' was not refused", bad[i]);
        assert_int_equal(parse_span(NULL, &span), -EINVAL);
        assert_int_equal(span, UNTOUCHED);
}

static void infinity_is_a_word_and_not_a_sum(void **state) {
        usec_t span = 0;

        assert_int_equal(parse_span("infinity", &span), 0);
        assert_int_equal(span, USEC_INFINITY);
        span = UNTOUCHED;
        assert_int_equal(parse_span("18446744073709551615us", &span), -ERANGE);
        assert_int_equal(parse_span("18446744073709551614us 1us", &span), -ERANGE);
        assert_int_equal(parse_span("18446744073709551614us 2us", &span), -ERANGE);
        assert_int_equal(parse_span("18446744073710s", &span), -ERANGE);
        assert_int_equal(parse_span("99999999999999999999us", &span), -ERANGE);
        assert_int_equal(span, UNTOUCHED);
        assert_int_equal(parse_span("18446744073709551614us", &span), 0);
        assert_int_equal(span, USEC_INFINITY - 1);
}

static void span_is(usec_t span, const char *wanted) {
        char text[SPAN_MAX];

        assert_ptr_equal(format_span(text, span), text);
        assert_string_equal(text, wanted);
}

static void spans_print_in_two_units_at_most(void **state) {
        span_is(0, "0s");
        span_is(999999, "0s");
        span_is(USEC_PER_SEC, "1s");
        span_is(42 * USEC_PER_SEC + 7, "42s");
        span_is(USEC_PER_MINUTE, "1min");
        span_is(12 * USEC_PER_MINUTE + 3 * USEC_PER_SEC, "12min 3s");
        span_is(USEC_PER_HOUR + 5 * USEC_PER_MINUTE + 59 * USEC_PER_SEC, "1h 5min");
        span_is(USEC_PER_HOUR + 5 * USEC_PER_SEC, "1h");
        span_is(3 * USEC_PER_DAY + 4 * USEC_PER_HOUR + 59 * USEC_PER_MINUTE, "3d 4h");
        span_is(400 * USEC_PER_DAY, "400d");
        span_is(USEC_INFINITY - 1, "213503982d 8h");
        span_is(USEC_INFINITY, "infinity");
}

static void printed_spans_read_back_rounded_down(void **state) {
        Draw d = { 3 };

        for (unsigned i = 0; i < 20000; i++) {
                usec_t span = draw_any_size(&d), read = 0;
                char text[SPAN_MAX];

                assert_int_equal(parse_span(format_span(text, span), &read), 0);
                assert_true(read <= span);
                /* Less than one of the unit after the first is lost. */
                assert_true(span - read < (span < USEC_PER_HOUR  ? USEC_PER_SEC
                                           : span < USEC_PER_DAY ? USEC_PER_MINUTE
                                                                 : USEC_PER_HOUR));
        }
}

static void timestamp_is(const char *zone, usec_t t, const char *wanted) {
        char text[TIMESTAMP_MAX];

        assert_int_equal(setenv("TZ", zone, 1), 0);
        tzset();
        assert_ptr_equal(format_timestamp(text, t), text);
        assert_string_equal(text, wanted);
}

static void timestamps_are_local_and_english(void **state) {
        const usec_t t = UINT64_C(1795467657) * USEC_PER_SEC;

        timestamp_is("UTC", t, "Mon 2026-11-23 21:00:57 UTC");
        timestamp_is("UTC", t + 999999, "Mon 2026-11-23 21:00:57 UTC");
        timestamp_is("CET-1CEST,M3.5.0,M10.5.0/3", t, "Mon 2026-11-23 22:00:57 CET");
        timestamp_is("LINT-14", t, "Tue 2026-11-24 11:00:57 LINT");
        timestamp_is("UTC", 1, "Thu 1970-01-01 00:00:00 UTC");
}

static void times_that_are_none_print_as_not_available(void **state) {
        timestamp_is("UTC", 0, "n/a");
        timestamp_is("UTC", USEC_INFINITY, "n/a");
}

static void the_latest_time_fits_its_buffer(void **state) {
        timestamp_is("UTC", USEC_INFINITY - 1, "Wed 586524-01-19 08:01:49 UTC");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(booleans_are_eight_words_in_any_case),
                cmocka_unit_test(numbers_read_back_as_printed),
                cmocka_unit_test(numbers_have_digits_only),
                cmocka_unit_test(numbers_beyond_64_bits_are_out_of_range),
                cmocka_unit_test(modes_are_octal_up_to_7777),
                cmocka_unit_test(spans_are_sums_of_numbers_with_units),
                cmocka_unit_test(spans_are_refused_unless_whole),
                cmocka_unit_test(infinity_is_a_word_and_not_a_sum),
                cmocka_unit_test(spans_print_in_two_units_at_most),
                cmocka_unit_test(printed_spans_read_back_rounded_down),
                cmocka_unit_test(timestamps_are_local_and_english),
                cmocka_unit_test(times_that_are_none_print_as_not_available),
                cmocka_unit_test(the_latest_time_fits_its_buffer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
