/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The clocks run, and times saturate. */

#include <time.h>

#include "base/clock.h"
#include "draw.h"

static void the_boot_clock_never_goes_back(void **state) {
        usec_t last = now_boot();

        assert_true(last > 0);
        for (unsigned i = 0; i < 10000; i++) {
                usec_t now = now_boot();

                assert_true(now >= last);
                last = now;
        }
}

static usec_t read_clock(clockid_t clock) {
        struct timespec t;

        assert_int_equal(clock_gettime(clock, &t), 0);
        return (usec_t) t.tv_sec * USEC_PER_SEC + (usec_t) t.tv_nsec / 1000;
}

/* huacnlee/omamail#238: what had ended during a suspend was served, by a clock that had stood still. */
static void the_boot_clock_is_the_one_that_counts_suspend(void **state) {
        usec_t before = read_clock(CLOCK_BOOTTIME), now = now_boot(), after = read_clock(CLOCK_BOOTTIME);

        assert_true(before <= now && now <= after);
}

static void the_real_clock_counts_from_1970(void **state) {
        usec_t before = read_clock(CLOCK_REALTIME), now = now_real(), after = read_clock(CLOCK_REALTIME);

        assert_true(before <= now && now <= after);
}

static void sums_and_differences_never_wrap(void **state) {
        Draw d = { 1 };

        for (unsigned i = 0; i < 100000; i++) {
                usec_t a = draw_any_size(&d),
                       b = i % 2 ? draw_any_size(&d) : USEC_INFINITY - draw_any_size(&d);
                usec_t sum = usec_add(a, b), rest = usec_sub(a, b);

                assert_true(sum >= a && sum >= b);
                assert_int_equal(sum, usec_add(b, a));
                assert_true(sum == USEC_INFINITY || (sum - a == b && usec_sub(sum, a) == b));
                if (a != USEC_INFINITY) {
                        assert_true(rest <= a);
                        assert_true(a >= b ? rest + b == a : rest == 0);
                }
        }
}

static void infinity_stays_infinity(void **state) {
        assert_int_equal(usec_add(USEC_INFINITY, 0), USEC_INFINITY);
        assert_int_equal(usec_add(1, USEC_INFINITY), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY, USEC_INFINITY), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY - 1, 2), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY - 2, 1), USEC_INFINITY - 1);
        assert_int_equal(usec_sub(USEC_INFINITY, 1), USEC_INFINITY);
        assert_int_equal(usec_sub(USEC_INFINITY, USEC_INFINITY), USEC_INFINITY);
        assert_int_equal(usec_sub(5, USEC_INFINITY), 0);
        assert_int_equal(usec_sub(0, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_boot_clock_never_goes_back),
                cmocka_unit_test(the_boot_clock_is_the_one_that_counts_suspend),
                cmocka_unit_test(the_real_clock_counts_from_1970),
                cmocka_unit_test(sums_and_differences_never_wrap),
                cmocka_unit_test(infinity_stays_infinity),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
