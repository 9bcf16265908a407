/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Due times: properties over many lives, in virtual time. How failures are paced is test-pace.c. */

#include "unit.h"

#include "model/schedule.h"

static uint64_t seed = 88172645463325252u;

/* xorshift64: the same numbers in each run. */
static uint64_t draw(void) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return seed;
}

static void a_due_time_lies_within_the_life(void **state) {
        for (unsigned i = 0; i < 200000; i++) {
                usec_t lifetime = 1 * USEC_PER_SEC + draw() % (3 * USEC_PER_DAY),
                       obtained = draw() % (1000 * USEC_PER_DAY);
                usec_t minimum = i % 3 == 0 ? 0 : draw() % (2 * lifetime);
                usec_t due = schedule_due(draw(), obtained, lifetime, minimum);

                assert_true(due > obtained);
                assert_true(due <= obtained + lifetime - schedule_minimum_remaining(lifetime, minimum));
                assert_true(due <= obtained + lifetime * 80 / 100 + 1);
        }
}

static void an_hour_leaves_twenty_minutes_and_is_spread(void **state) {
        unsigned buckets[13] = {};

        assert_int_equal(schedule_minimum_remaining(USEC_PER_HOUR, 0), 20 * USEC_PER_MINUTE);
        for (unsigned i = 0; i < 39000; i++) {
                usec_t due =
                        schedule_due(draw(), 1000 * USEC_PER_HOUR, USEC_PER_HOUR, 0) - 1000 * USEC_PER_HOUR;

                assert_true(due <= 40 * USEC_PER_MINUTE);
                buckets[due / (3 * USEC_PER_MINUTE + 5 * USEC_PER_SEC)]++;
        }
        /* All hosts were switched on in one second: each twelfth of the first cycle gets its share. */
        for (unsigned i = 1; i < 12; i++)
                assert_in_range(buckets[i], 2600, 3600);
}

static void a_steady_job_keeps_its_phase(void **state) {
        uint64_t phase = draw();
        usec_t due = schedule_due(phase, 5 * USEC_PER_HOUR, USEC_PER_HOUR, 0), period = 0;

        for (unsigned i = 0; i < 1000; i++) {
                usec_t next = schedule_due(phase, due + 50 * USEC_PER_MSEC, USEC_PER_HOUR, 0);

                if (period > 0)
                        assert_int_equal(next - due, period);
                period = next - due;
                due = next;
        }
        assert_in_range(period / USEC_PER_MINUTE, 38, 39);
}

static void phases_differ_by_host_salt_and_job(void **state) {
        const uint8_t one[16] = { 1 }, two[16] = { 2 };

        assert_true(schedule_phase(one, "s", 1, "a") == schedule_phase(one, "s", 1, "a"));
        assert_true(schedule_phase(one, "s", 1, "a") != schedule_phase(two, "s", 1, "a"));
        assert_true(schedule_phase(one, "s", 1, "a") != schedule_phase(one, "t", 1, "a"));
        assert_true(schedule_phase(one, "s", 1, "a") != schedule_phase(one, "s", 1, "b"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_due_time_lies_within_the_life),
                cmocka_unit_test(an_hour_leaves_twenty_minutes_and_is_spread),
                cmocka_unit_test(a_steady_job_keeps_its_phase),
                cmocka_unit_test(phases_differ_by_host_salt_and_job),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
