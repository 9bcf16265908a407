/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bugs of other refreshers that show in virtual time alone, each under a name of its own. The table of all
 * of them is in tests/stress/README.md. */

#include "draw.h"

#include "model/schedule.h"

#define DAYS 2
#define LONGEST UINT64_MAX

/* concourse/concourse#3474: the library gave up after 15 minutes and returned success.
 * hashicorp/vault#10918, #11008: after a minute the program gave up, began anew, and revoked what was
 * good. */
static void two_days_of_failures_are_no_reason_to_give_up(void **state) {
        Draw d = { 3474 };

        for (FailureClass class = 0; class < _FAILURE_CLASS_MAX; class ++) {
                usec_t now = 0, last = 0;
                Pace pace = {};

                while (now < DAYS * USEC_PER_DAY) {
                        usec_t wait = pace_next(&pace, class, 0, 0, draw(&d));

                        assert_in_range(wait, USEC_PER_SEC / 2, USEC_PER_HOUR);
                        last = now;
                        now += wait;
                }
                assert_true(last >= DAYS * USEC_PER_DAY - USEC_PER_HOUR);
        }
}

/* hashicorp/vault#22575, #26844: what could be fetched and not be used was fetched again at once. */
static void a_day_of_failing_publication_goes_at_the_pace_of_minutes(void **state) {
        usec_t now = 0;
        unsigned n = 0;
        Pace pace = {};

        for (; now < USEC_PER_DAY; n++)
                now += pace_next(&pace, FAILURE_PUBLISH, 0, USEC_PER_HOUR, 0);
        /* Half a minute each where every draw is short. */
        assert_in_range(n, 24 * 60, 24 * 120 + 10);
}

/* aws/aws-sdk-java-v2#5247: due a second before the end, with waits of ten seconds between attempts. */
static void after_a_refresh_was_due_there_is_time_for_many_attempts(void **state) {
        static const struct {
                usec_t lifetime;
                unsigned attempts;
        } rows[] = {
                { 60 * USEC_PER_SEC, 2 },    { 5 * USEC_PER_MINUTE, 4 }, { 15 * USEC_PER_MINUTE, 5 },
                { 60 * USEC_PER_MINUTE, 7 }, { 12 * USEC_PER_HOUR, 30 },
        };
        Draw d = { 5247 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (unsigned k = 0; k < 1000; k++) {
                        usec_t begin = draw(&d) % (1000 * USEC_PER_DAY), end = begin + rows[i].lifetime,
                               now = schedule_due(draw(&d), begin, rows[i].lifetime,
                                                  schedule_minimum_remaining(rows[i].lifetime, 0));
                        unsigned n = 0;
                        Pace pace = {};

                        for (; now < end; n++)
                                now += pace_next(&pace, FAILURE_TRANSPORT, 0, end - now, LONGEST);
                        assert_in_range(n, rows[i].attempts, 200);
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_days_of_failures_are_no_reason_to_give_up),
                cmocka_unit_test(a_day_of_failing_publication_goes_at_the_pace_of_minutes),
                cmocka_unit_test(after_a_refresh_was_due_there_is_time_for_many_attempts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
