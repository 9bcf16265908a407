/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* KEY=VALUE words: types, repetition, and sentences about what makes no sense. */

#include "base/clock.h"
#include "base/text.h"
#include "ctl/settings.h"
#include "unit.h"

static int parse(JobSettings *l, char **reterr, const char *a, const char *b, const char *c) {
        char *const words[] = { (char *) a, (char *) b, (char *) c, NULL };

        return settings_parse(l, words, reterr);
}

static void lists_grow_and_single_values_are_replaced(void **state) {
        _cleanup_(job_settings_done) JobSettings l = {};
        _cleanup_free_ char *error = NULL;

        assert_int_equal(parse(&l, &error, "Scopes=a b", "Robot=x", "Scopes=c"), 0);
        assert_int_equal(parse(&l, &error, "Robot=y", "MinimumRemaining=25min", "WakeSystem=on"), 0);
        assert_int_equal(l.n_items, 4);
        assert_string_equal(l.items[0].key, "Scopes");
        assert_int_equal(strv_length(l.items[0].strings), 3);
        assert_string_equal(l.items[1].string, "y");
        assert_int_equal(l.items[2].number, 25 * USEC_PER_MINUTE);
        assert_int_equal(l.items[3].number, 1);
        assert_null(error);
}

static void an_empty_value_empties(void **state) {
        _cleanup_(job_settings_done) JobSettings l = {};
        _cleanup_free_ char *error = NULL;

        assert_int_equal(parse(&l, &error, "Scopes=a b", "Scopes=", "Robot="), 0);
        assert_int_equal(strv_length(l.items[0].strings), 0);
        assert_string_equal(l.items[1].string, "");
        assert_int_equal(parse(&l, &error, "MinimumRemaining=1h", "MinimumRemaining=", NULL), 0);
        assert_int_equal(l.items[2].number, 0);
        assert_int_equal(parse(&l, &error, "TakeOver=yes", "TakeOver=", NULL), 0);
        assert_int_equal(l.items[3].number, 0);
}

static void what_makes_no_sense_is_a_sentence(void **state) {
        static const struct {
                const char *word, *said;
        } rows[] = {
                { "robot=x", "There is no setting 'robot=', did you mean 'Robot='?" },
                { "CAFile=x", "There is no setting 'CAFile=' here, there are Registry=, Robot=, Identity=, "
                              "Scopes=, Targets=, MinimumRemaining=, OnExpiry=, OnRemove=, TakeOver=, "
                              "WakeSystem=; all else stands in files" },
                { "Robot", "'Robot' is no setting, write KEY=VALUE" },
                { "=x", "There is no setting '=' here, there are Registry=, " },
                { "TakeOver=maybe", "TakeOver=maybe makes no sense, write yes or no" },
                { "WakeSystem=2", "WakeSystem=2 makes no sense, write yes or no" },
                { "MinimumRemaining=\033x", "MinimumRemaining=x makes no sense, write a span of time" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_settings_done) JobSettings l = {};
                _cleanup_free_ char *error = NULL;

                assert_int_equal(parse(&l, &error, rows[i].word, NULL, NULL), 1);
                assert_non_null(startswith(error, rows[i].said));
        }
}

static void every_key_is_offered(void **state) {
        _cleanup_strv_ char **keys = NULL;

        assert_int_equal(settings_keys(&keys), 0);
        assert_int_equal(strv_length(keys), 10);
        assert_true(strv_contains(keys, "Robot="));
        assert_string_equal(settings_choices("OnExpiry"), "withdraw retain");
        assert_null(settings_choices("Robot"));
        assert_null(settings_choices("Nothing"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_grow_and_single_values_are_replaced),
                cmocka_unit_test(an_empty_value_empties),
                cmocka_unit_test(what_makes_no_sense_is_a_sentence),
                cmocka_unit_test(every_key_is_offered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
