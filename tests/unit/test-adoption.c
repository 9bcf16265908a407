/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How old is what an earlier run left? Every clock that a host can wake up with. */

#include "unit.h"

#include "daemon/adoption.h"

#define IAT 1700000000
#define EXP (IAT + 3600)
#define REAL(seconds) ((usec_t) (seconds) *USEC_PER_SEC)
#define BOOT (10 * USEC_PER_HOUR)

static const JobRecord record = {
        .issued = IAT,
        .obtained_boot = BOOT - 20 * USEC_PER_MINUTE,
        .due_boot = BOOT + 15 * USEC_PER_MINUTE,
        .obtained_real = REAL(IAT),
};

static void on_the_same_boot_the_boot_clock_alone_counts(void **state) {
        /* The real clock is years off; nobody asks it. */
        const AdoptionClock clock = { .boot = BOOT,
                                      .real = REAL(EXP) + 9000 * USEC_PER_DAY,
                                      .same_boot = true };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 1);
        assert_int_equal(t.obtained_boot, record.obtained_boot);
        assert_int_equal(t.expires_boot, record.obtained_boot + USEC_PER_HOUR);
        assert_int_equal(t.due_boot, record.due_boot);
        assert_false(t.estimated);
}

static void on_the_same_boot_an_end_is_an_end(void **state) {
        const AdoptionClock clock = { .boot = BOOT + USEC_PER_HOUR, .real = REAL(IAT), .same_boot = true };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 0);
}

static void after_a_reboot_the_real_clock_tells_what_is_left(void **state) {
        const AdoptionClock clock = { .boot = 5 * USEC_PER_SEC, .real = REAL(IAT + 1500) };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 1);
        assert_int_equal(t.expires_boot, 5 * USEC_PER_SEC + 2100 * USEC_PER_SEC);
        /* 35 minutes after it was fetched, ten of which are left. */
        assert_int_equal(t.due_boot, 5 * USEC_PER_SEC + 600 * USEC_PER_SEC);
        assert_true(t.estimated);
}

static void after_a_reboot_what_was_due_meanwhile_is_due_now(void **state) {
        const AdoptionClock clock = { .boot = 5 * USEC_PER_SEC, .real = REAL(IAT + 3000) };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 1);
        assert_int_equal(t.due_boot, 5 * USEC_PER_SEC);
        assert_int_equal(t.expires_boot, 605 * USEC_PER_SEC);
}

static void after_a_reboot_an_end_is_an_end(void **state) {
        const AdoptionClock clock = { .boot = 5 * USEC_PER_SEC, .real = REAL(EXP) };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 0);
        assert_int_equal(adoption_times(IAT, EXP, NULL, &clock, &t), 0);
}

/* slackhq/nebula#334, #732, #797: a host without a battery wakes up in 1970, and its clock is set later. */
static void a_clock_that_was_not_set_yet_keeps_the_credential_and_replaces_it_at_once(void **state) {
        const AdoptionClock clock = { .boot = 5 * USEC_PER_SEC, .real = REAL(3) };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &record, &clock, &t), 1);
        assert_int_equal(t.expires_boot, 5 * USEC_PER_SEC + USEC_PER_HOUR);
        assert_int_equal(t.due_boot, 5 * USEC_PER_SEC);
        assert_true(t.estimated);
}

/* A second start on the boot that took it up: what was worked out then still counts, not its whole life. */
static void a_restart_after_a_reboot_does_not_lengthen_a_life(void **state) {
        const JobRecord second = {
                .issued = IAT,
                .obtained_boot = 5 * USEC_PER_SEC,
                .expires_boot = 5 * USEC_PER_SEC + 600 * USEC_PER_SEC,
                .due_boot = 5 * USEC_PER_SEC,
                .obtained_real = REAL(IAT + 3000),
                .estimated = true,
        };
        const AdoptionClock right = { .boot = 65 * USEC_PER_SEC,
                                      .real = REAL(IAT + 3060),
                                      .same_boot = true };
        const AdoptionClock set = { .boot = 65 * USEC_PER_SEC, .real = REAL(IAT + 3500), .same_boot = true };
        const AdoptionClock late = { .boot = 65 * USEC_PER_SEC, .real = REAL(EXP + 9), .same_boot = true };
        const AdoptionClock unset = { .boot = 65 * USEC_PER_SEC, .real = REAL(60), .same_boot = true };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, &second, &right, &t), 1);
        assert_int_equal(t.expires_boot, second.expires_boot);
        assert_int_equal(t.due_boot, second.due_boot);
        assert_true(t.estimated);
        /* The clock was set while nobody ran. */
        assert_int_equal(adoption_times(IAT, EXP, &second, &set, &t), 1);
        assert_int_equal(t.expires_boot, 165 * USEC_PER_SEC);
        assert_in_range(t.due_boot, 1, 5 * USEC_PER_SEC);
        assert_int_equal(adoption_times(IAT, EXP, &second, &late, &t), 0);
        /* It is not set yet. */
        assert_int_equal(adoption_times(IAT, EXP, &second, &unset, &t), 1);
        assert_int_equal(t.expires_boot, second.expires_boot);
        assert_int_equal(t.due_boot, second.due_boot);
        assert_true(t.estimated);
}

static void a_registry_that_is_a_little_ahead_is_no_doubt(void **state) {
        const AdoptionClock clock = { .boot = BOOT, .real = REAL(IAT - 20) };
        JobTimes t;

        assert_int_equal(adoption_times(IAT, EXP, NULL, &clock, &t), 1);
        assert_int_equal(t.expires_boot, BOOT + USEC_PER_HOUR);
        assert_int_equal(t.due_boot, 0);
}

static void a_record_of_another_credential_is_not_believed(void **state) {
        const AdoptionClock clock = { .boot = BOOT, .real = REAL(IAT + 700), .same_boot = true };
        JobTimes t;

        assert_int_equal(adoption_times(IAT + 600, EXP + 600, &record, &clock, &t), 1);
        assert_int_equal(t.obtained_boot, BOOT);
        assert_int_equal(t.expires_boot, BOOT + 3500 * USEC_PER_SEC);
        assert_int_equal(t.due_boot, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(on_the_same_boot_the_boot_clock_alone_counts),
                cmocka_unit_test(on_the_same_boot_an_end_is_an_end),
                cmocka_unit_test(after_a_reboot_the_real_clock_tells_what_is_left),
                cmocka_unit_test(after_a_reboot_what_was_due_meanwhile_is_due_now),
                cmocka_unit_test(after_a_reboot_an_end_is_an_end),
                cmocka_unit_test(a_clock_that_was_not_set_yet_keeps_the_credential_and_replaces_it_at_once),
                cmocka_unit_test(a_restart_after_a_reboot_does_not_lengthen_a_life),
                cmocka_unit_test(a_registry_that_is_a_little_ahead_is_no_doubt),
                cmocka_unit_test(a_record_of_another_credential_is_not_believed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
