/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left of a life, in numbers, words and characters. */

#include "ctl/life.h"
#include "draw.h"
#include "unit.h"

#include "ctl-example.h"

static void check_bar(usec_t left, usec_t whole, unsigned width, const char *expected) {
        char *bar = NULL;

        assert_int_equal(life_bar(left, whole, width, &bar), 0);
        assert_string_equal(bar, expected);
        free(bar);
}

static unsigned full_pieces(const char *bar) {
        unsigned n = 0;

        for (; startswith(bar, "█"); bar += strlen("█"))
                n++;
        return n;
}

static void a_bar_goes_from_full_to_empty(void **state) {
        check_bar(USEC_PER_HOUR, USEC_PER_HOUR, 4, "████");
        check_bar(USEC_PER_HOUR / 2, USEC_PER_HOUR, 4, "██░░");
        check_bar(0, USEC_PER_HOUR, 4, "░░░░");
        check_bar(0, 0, 4, "░░░░");
        check_bar(1, 0, 0, "");
}

static void a_bar_is_empty_only_when_nothing_is_left(void **state) {
        check_bar(1, USEC_PER_HOUR, 4, "█░░░");
        check_bar(1, 0, 4, "█░░░");
}

static void a_bar_of_impossible_lives_keeps_its_width(void **state) {
        Draw d = { 7 };

        check_bar(UINT64_MAX, UINT64_MAX, 4, "████");
        check_bar(UINT64_MAX, 1, 4, "████");
        for (unsigned i = 0; i < 2000; i++) {
                usec_t left = draw_any_size(&d), whole = draw_any_size(&d);
                char *bar = NULL;

                assert_int_equal(life_bar(left, whole, 24, &bar), 0);
                assert_int_equal(strlen(bar), 24 * strlen("█"));
                assert_true((full_pieces(bar) == 0) == (left == 0));
                free(bar);
        }
}

static void check_texts(const JobSnapshot *j, const char *life, const char *next) {
        char *text = NULL;

        assert_int_equal(life_text(j, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text, life);
        free(text);
        assert_int_equal(life_next_text(j, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text, next);
        free(text);
}

static int setup(void **state) {
        return snapshot_new((Snapshot **) state);
}

static int teardown(void **state) {
        *state = snapshot_free(*state);
        return 0;
}

static void a_life_is_told_in_rough_words(void **state) {
        JobSnapshot *j = example_add_job(*state, "edge", "fresh");

        check_texts(j, "no credential", "no attempt planned");
        example_set_life(j, 42 * USEC_PER_MINUTE + 59 * USEC_PER_SEC);
        j->next_attempt = EXAMPLE_NOW + 9 * USEC_PER_MINUTE + 59 * USEC_PER_SEC;
        check_texts(j, "42min left of 1h", "refresh in 9min 59s");
        j->issued = 0;
        j->next_attempt = EXAMPLE_NOW;
        check_texts(j, "42min left", "next attempt due");
        example_set(&j->state, "expired");
        example_set_life(j, 0);
        j->next_attempt = EXAMPLE_NOW + 5 * USEC_PER_SEC;
        check_texts(j, "ended 0s ago", "next attempt in 5s");
        example_set(&j->state, "refreshing");
        check_texts(j, "ended 0s ago", "refresh under way");
}

static void only_a_fresh_or_smoothly_refreshing_job_is_well(void **state) {
        static const char *const states[] = { "inactive", "retrying", "expired", "failed", "paused", "" };
        JobSnapshot *j = example_add_job(*state, "edge", "fresh");

        assert_true(job_is_well(j, EXAMPLE_NOW));
        example_set_life(j, USEC_PER_MINUTE);
        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                example_set(&j->state, states[i]);
                assert_false(job_is_well(j, EXAMPLE_NOW));
        }
        example_set(&j->state, "refreshing");
        assert_true(job_is_well(j, EXAMPLE_NOW));
        example_set(&j->reason, "timeout"); /* a retry */
        assert_false(job_is_well(j, EXAMPLE_NOW));
        example_set(&j->reason, "");
        example_set_life(j, 0);
        assert_false(job_is_well(j, EXAMPLE_NOW));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_bar_goes_from_full_to_empty),
                cmocka_unit_test(a_bar_is_empty_only_when_nothing_is_left),
                cmocka_unit_test(a_bar_of_impossible_lives_keeps_its_width),
                cmocka_unit_test_setup_teardown(a_life_is_told_in_rough_words, setup, teardown),
                cmocka_unit_test_setup_teardown(only_a_fresh_or_smoothly_refreshing_job_is_well, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
