/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Errors and their names belong together, and others are none. */

#include "unit.h"

#include "base/api-error.h"
#include "base/text.h"

static void errors_and_their_names_belong_together(void **state) {
        for (ApiError e = 0; e < _API_ERROR_MAX; e++) {
                assert_non_null(startswith(api_error_to_string(e), "org.pullauth1.Error."));
                assert_int_equal(api_error_from_string(api_error_to_string(e)), e);
        }
}

static void what_is_not_in_the_table_is_no_error(void **state) {
        assert_null(api_error_to_string(_API_ERROR_MAX));
        assert_null(api_error_to_string(_API_ERROR_INVALID));
        assert_true(api_error_from_string("org.pullauth1.Error.") < 0);
        assert_true(api_error_from_string("org.freedesktop.DBus.Error.NoReply") < 0);
        assert_true(api_error_from_string("") < 0);
        assert_true(api_error_from_string(NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(errors_and_their_names_belong_together),
                cmocka_unit_test(what_is_not_in_the_table_is_no_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
