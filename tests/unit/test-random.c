/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Draws differ, use all bits, and cost no wait where the kernel has none. */

#include "base/random.h"
#include "child.h"

static void draws_use_all_bits_and_do_not_repeat(void **state) {
        uint64_t ones = 0, zeroes = 0, last = random_draw();

        /* Each bit is as good as sure to have been both after 256 draws: 2^-256 times 64. */
        for (unsigned i = 0; i < 256; i++) {
                uint64_t random = random_draw();

                assert_true(random != last);
                ones |= random;
                zeroes |= ~random;
                last = random;
        }
        assert_int_equal(ones, UINT64_MAX);
        assert_int_equal(zeroes, UINT64_MAX);
}

static int draw_without_entropy(void *argument) {
        if (inject_errno(SYS_getrandom, EAGAIN) < 0)
                return 2;
        return random_draw() == 0 ? 0 : 1;
}

static void without_entropy_the_draw_is_zero(void **state) {
        assert_int_equal(exit_of_child(draw_without_entropy, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(draws_use_all_bits_and_do_not_repeat),
                cmocka_unit_test(without_entropy_the_draw_is_zero),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
