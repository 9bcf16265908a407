/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schedule: properties of due times over many lives, and the paces of failures, in virtual time. */

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

static void paces_double_to_their_cap(void **state) {
        static const struct {
                FailureClass class;
                usec_t base, cap;
        } rows[] = {
                { FAILURE_TRANSPORT, 5, 300 },
                { FAILURE_TLS, 60, 900 },
                { FAILURE_CLOCK, 60, 900 },
                { FAILURE_RATE_LIMIT, 30, 300 },
                { FAILURE_REGISTRY, 5, 300 },
                { FAILURE_REJECTED, 300, 3600 },
                { FAILURE_IDENTITY_UNAVAILABLE, 5, 300 },
                { FAILURE_IDENTITY_UNUSABLE, 60, 900 },
                { FAILURE_PUBLISH, 1, 60 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t expected = rows[i].base;
                Pace pace = {};

                for (unsigned n = 0; n < 40; n++) {
                        usec_t delay = pace_next(&pace, rows[i].class, 0, 0, draw()) / USEC_PER_MSEC;

                        assert_in_range(delay, expected * 1000 / 2, expected * 1000);
                        expected = expected * 2 > rows[i].cap ? rows[i].cap : expected * 2;
                }
                assert_int_equal(pace_failures(&pace), 40);
        }
}

static void a_standing_credential_shortens_fast_paces(void **state) {
        Pace pace = { .n = { [FAILURE_TRANSPORT] = 20, [FAILURE_REJECTED] = 20 } };

        assert_in_range(pace_next(&pace, FAILURE_TRANSPORT, 0, 6 * USEC_PER_MINUTE, UINT64_MAX),
                        119 * USEC_PER_SEC, 120 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_TRANSPORT, 0, 10 * USEC_PER_SEC, UINT64_MAX),
                        59 * USEC_PER_SEC, 60 * USEC_PER_SEC);
        assert_true(pace_next(&pace, FAILURE_REJECTED, 0, 10 * USEC_PER_SEC, UINT64_MAX) >
                    59 * USEC_PER_MINUTE);
}

static void retry_after_is_obeyed_within_bounds(void **state) {
        Pace pace = {};

        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_SEC, 0, 0), 90 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_SEC, 0, UINT64_MAX),
                        179 * USEC_PER_SEC, 180 * USEC_PER_SEC);
        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 1, 0, 0), USEC_PER_SEC);
        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_DAY, 0, 0), USEC_PER_HOUR);
        assert_true(pace_next(&pace, FAILURE_TRANSPORT, 90 * USEC_PER_DAY, 0, 0) < 10 * USEC_PER_SEC);
}

static unsigned attempts_within(FailureClass class, usec_t from, usec_t to) {
        usec_t now = 0;
        unsigned n = 0;
        Pace pace = {};

        while (now < to) {
                if (now >= from)
                        n++;
                now += pace_next(&pace, class, 0, 0, 0);
        }
        return n;
}

static void an_outage_costs_no_more_than_the_budget(void **state) {
        assert_in_range(attempts_within(FAILURE_TRANSPORT, 0, USEC_PER_HOUR), 10, 29);
        assert_in_range(attempts_within(FAILURE_TRANSPORT, USEC_PER_HOUR, 2 * USEC_PER_HOUR), 10, 24);
        assert_in_range(attempts_within(FAILURE_TLS, 0, USEC_PER_HOUR), 4, 11);
        assert_in_range(attempts_within(FAILURE_REJECTED, 0, USEC_PER_HOUR), 2, 5);
        assert_in_range(attempts_within(FAILURE_REJECTED, 10 * USEC_PER_HOUR, 11 * USEC_PER_HOUR), 1, 2);
}

/* An event every second, each of which would like an attempt at once. */
static unsigned attempts_in_a_storm(FailureClass class, usec_t to) {
        usec_t next = 0;
        unsigned n = 0;
        Pace pace = {};

        for (usec_t now = 0; now < to; now += USEC_PER_SEC) {
                if (next > now && pace_may_wake(&pace, class, next - now))
                        next = now;
                if (next > now)
                        continue;
                n++;
                next = now + pace_next(&pace, class, 0, 0, 0);
        }
        return n;
}

static void a_storm_of_events_makes_no_more_attempts_than_the_pace(void **state) {
        static const FailureClass classes[] = { FAILURE_TRANSPORT,
                                                FAILURE_TLS,
                                                FAILURE_CLOCK,
                                                FAILURE_REJECTED,
                                                FAILURE_IDENTITY_UNAVAILABLE,
                                                FAILURE_IDENTITY_UNUSABLE };

        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                unsigned calm = attempts_within(classes[i], 0, 4 * USEC_PER_HOUR);
                unsigned storm = attempts_in_a_storm(classes[i], 4 * USEC_PER_HOUR);

                /* What fits into one longest wait comes early. */
                assert_in_range(storm, calm, calm + 2);
        }
}

static void the_first_event_is_heard_at_once(void **state) {
        Pace pace = {};
        usec_t left = pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0);

        assert_true(pace_may_wake(&pace, FAILURE_TRANSPORT, left));
        assert_int_equal(pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0), left + 5 * USEC_PER_SEC);
        assert_false(pace_may_wake(&pace, FAILURE_TRANSPORT, USEC_PER_HOUR));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_due_time_lies_within_the_life),
                cmocka_unit_test(an_hour_leaves_twenty_minutes_and_is_spread),
                cmocka_unit_test(a_steady_job_keeps_its_phase),
                cmocka_unit_test(phases_differ_by_host_salt_and_job),
                cmocka_unit_test(paces_double_to_their_cap),
                cmocka_unit_test(a_standing_credential_shortens_fast_paces),
                cmocka_unit_test(retry_after_is_obeyed_within_bounds),
                cmocka_unit_test(an_outage_costs_no_more_than_the_budget),
                cmocka_unit_test(a_storm_of_events_makes_no_more_attempts_than_the_pace),
                cmocka_unit_test(the_first_event_is_heard_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
