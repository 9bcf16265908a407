/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dates and waits of HTTP. */

#include "worker-fixture.h"
#include "worker/http-date.h"

#define NOW_USEC (UINT64_C(1795478400) * USEC_PER_SEC)

static void the_three_forms_of_a_date(void **state) {
        static const char *const forms[] = { NOW_DATE, "Tuesday, 24-Nov-26 00:00:00 GMT",
                                             "Tue Nov 24 00:00:00 2026" };
        usec_t t;

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                assert_int_equal(http_date_parse(forms[i], &t), 0);
                assert_int_equal(t, NOW_USEC);
        }
        assert_int_equal(http_date_parse("Sun Nov  1 00:00:00 2026", &t), 0);
}

static void what_is_no_date(void **state) {
        static const char *const texts[] = { "",
                                             "now",
                                             "Tue, 24 Nov 2026",
                                             "Tue, 24 Nov 2026 00:00:00 GMT+1",
                                             "Tue, 24 Nov 2026 00:00:00 CET",
                                             "Tue, 99 Nov 2026 00:00:00 GMT",
                                             "Thu, 01 Jan 1960 00:00:00 GMT",
                                             "1795478400" };
        usec_t t = 7;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(http_date_parse(texts[i], &t), -EINVAL);
        assert_int_equal(t, 7);
}

static void waits_in_seconds(void **state) {
        assert_int_equal(retry_after_parse("120", NOW_USEC), 120 * USEC_PER_SEC);
        assert_int_equal(retry_after_parse("0", NOW_USEC), USEC_PER_SEC);
        assert_int_equal(retry_after_parse("000000000000000000000000000007", NOW_USEC), 7 * USEC_PER_SEC);
}

static void waits_until_a_date(void **state) {
        assert_int_equal(retry_after_parse("Tue, 24 Nov 2026 00:01:00 GMT", NOW_USEC), USEC_PER_MINUTE);
        assert_int_equal(retry_after_parse("Mon, 23 Nov 2026 00:01:00 GMT", NOW_USEC), USEC_PER_SEC);
        assert_int_equal(retry_after_parse(NOW_DATE, NOW_USEC), USEC_PER_SEC);
}

static void absurd_waits_are_cut(void **state) {
        assert_int_equal(retry_after_parse("86401", NOW_USEC), RETRY_AFTER_MAX);
        assert_int_equal(retry_after_parse("99999999999999999999999999999999999999", NOW_USEC),
                         RETRY_AFTER_MAX);
        assert_int_equal(retry_after_parse("18446744073709551617", NOW_USEC), RETRY_AFTER_MAX);
        assert_int_equal(retry_after_parse("Fri, 31 Dec 9999 23:59:59 GMT", NOW_USEC), RETRY_AFTER_MAX);
}

static void nonsense_asks_for_nothing(void **state) {
        static const char *const texts[] = {
                NULL, "", "-1", "+5", "1.5", "5 ", " 5", "soon", "0x10", "12s"
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(retry_after_parse(texts[i], NOW_USEC), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_three_forms_of_a_date), cmocka_unit_test(what_is_no_date),
                cmocka_unit_test(waits_in_seconds),          cmocka_unit_test(waits_until_a_date),
                cmocka_unit_test(absurd_waits_are_cut),      cmocka_unit_test(nonsense_asks_for_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
