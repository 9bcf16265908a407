/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Notices: clean, each once, and never too many. */

#include "base/text.h"
#include "unit.h"
#include "worker/notice.h"

static void they_are_kept_in_order_and_clean(void **state) {
        _cleanup_strv_ char **l = NULL;

        assert_int_equal(notice_add(&l, "one %s", "a\nb"), 0);
        assert_int_equal(notice_add(&l, "two"), 0);
        assert_true(strv_equal(l, (char *[]){ (char *) "one a b", (char *) "two", NULL }));
}

static void each_stands_there_once(void **state) {
        _cleanup_strv_ char **l = NULL;

        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(notice_add(&l, "again"), 0);
        assert_int_equal(strv_length(l), 1);
}

static void beyond_a_limit_they_are_dropped(void **state) {
        _cleanup_strv_ char **l = NULL;

        for (unsigned i = 0; i < 2 * NOTICES_MAX; i++)
                assert_int_equal(notice_add(&l, "number %u", i), 0);
        assert_int_equal(strv_length(l), NOTICES_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(they_are_kept_in_order_and_clean),
                cmocka_unit_test(each_stands_there_once),
                cmocka_unit_test(beyond_a_limit_they_are_dropped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
