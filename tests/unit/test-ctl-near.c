/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names that a misspelt one was meant to be. */

#include "base/text.h"
#include "client/near.h"
#include "unit.h"

static char *const names[] = { (char *) "edge", (char *) "edge-lab", (char *) "Ledger", (char *) "stage",
                               NULL };

static void check(const char *name, size_t max, const char *expected) {
        char **l = NULL, *joined = NULL;

        assert_int_equal(near_names(name, names, max, &l), 0);
        assert_int_equal(strv_join(l, " ", &joined), 0);
        assert_string_equal(joined, expected);
        free(joined);
        strv_free(l);
}

static void a_letter_more_less_or_other_is_near(void **state) {
        check("edg", 1, "edge");
        check("edgee", 1, "edge");
        check("edhe", 1, "edge");
        check("EDGE", 1, "edge");
        check("stages", 1, "stage");
}

static void neighbours_that_changed_places_are_one_mistake(void **state) {
        check("dege", 1, "edge");
        check("stgae", 1, "stage");
}

static void a_beginning_is_near_but_comes_last(void **state) {
        check("edge-", 3, "edge Ledger edge-lab");
        check("led", 3, "Ledger");
}

static void what_is_far_is_not_suggested(void **state) {
        char name[4096];

        check("production", 3, "");
        check("", 3, "");
        memcpy(name, "edge", 4);
        for (size_t i = 4; i < sizeof(name) - 1; i++)
                name[i] = 'e';
        name[sizeof(name) - 1] = '\0';
        check(name, 3, "");
}

static void no_names_have_none_near(void **state) {
        char **l = NULL;

        assert_int_equal(near_names("edge", NULL, 3, &l), 0);
        assert_int_equal(strv_length(l), 0);
        strv_free(l);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_letter_more_less_or_other_is_near),
                cmocka_unit_test(neighbours_that_changed_places_are_one_mistake),
                cmocka_unit_test(a_beginning_is_near_but_comes_last),
                cmocka_unit_test(what_is_far_is_not_suggested),
                cmocka_unit_test(no_names_have_none_near),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
