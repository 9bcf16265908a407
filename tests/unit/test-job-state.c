/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one word for a job, for every combination of facts that can be. */

#include "unit.h"

#include "model/job-state.h"

static void every_combination_has_its_word(void **state) {
        static const struct {
                bool attempting, valid, published;
                Reason reason;
                JobState expected;
        } rows[] = {
                { false, false, false, REASON_NONE, JOB_INACTIVE },
                { true, false, false, REASON_NONE, JOB_REFRESHING },
                { true, true, true, REASON_NONE, JOB_REFRESHING },
                { true, true, true, REASON_TIMEOUT, JOB_REFRESHING },
                { false, true, true, REASON_NONE, JOB_FRESH },
                { false, true, false, REASON_NONE, JOB_REFRESHING },
                { false, true, true, REASON_TIMEOUT, JOB_RETRYING },
                { false, true, false, REASON_TARGET_FULL, JOB_RETRYING },
                { false, true, true, REASON_ROBOT_UNKNOWN, JOB_RETRYING },
                { false, false, false, REASON_TIMEOUT, JOB_EXPIRED },
                { false, false, false, REASON_EXPIRED, JOB_EXPIRED },
                { false, false, false, REASON_TOKEN_FILE_MISSING, JOB_EXPIRED },
                { false, false, false, REASON_ROBOT_UNKNOWN, JOB_FAILED },
                { false, false, false, REASON_CONFIGURATION_INVALID, JOB_FAILED },
                { false, true, true, REASON_SCOPE_CONFLICT, JOB_FAILED },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Failure failure = { .reason = rows[i].reason };
                const JobFacts facts = {
                        .attempting = rows[i].attempting,
                        .valid = rows[i].valid,
                        .published = rows[i].published,
                        .failure = rows[i].reason == REASON_NONE ? NULL : &failure,
                };

                assert_string_equal(job_state_to_string(job_state_derive(&facts)),
                                    job_state_to_string(rows[i].expected));
        }
}

static void a_disabled_job_is_inactive_whatever_else_it_is(void **state) {
        const Failure failure = { .reason = REASON_CONFIGURATION_INVALID };

        for (int bits = 0; bits < 16; bits++) {
                const JobFacts facts = {
                        .disabled = true,
                        .attempting = bits & 1,
                        .valid = bits & 2,
                        .published = bits & 4,
                        .failure = bits & 8 ? &failure : NULL,
                };

                assert_int_equal(job_state_derive(&facts), JOB_INACTIVE);
        }
}

static void states_and_their_words_belong_together(void **state) {
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                assert_int_equal(job_state_from_string(job_state_to_string(s)), s);
        assert_null(job_state_to_string(_JOB_STATE_MAX));
        assert_true(job_state_from_string("tired") < 0);
        assert_true(job_state_from_string(NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_combination_has_its_word),
                cmocka_unit_test(a_disabled_job_is_inactive_whatever_else_it_is),
                cmocka_unit_test(states_and_their_words_belong_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
