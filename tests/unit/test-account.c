/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Users and groups of the host that runs the tests: root is on each. */

#include "unit.h"

#include <errno.h>

#include "base/account.h"

static void root_is_found_by_name_and_by_number(void **state) {
        Account name = {}, number = {};

        assert_ok(account_find("root", &name));
        assert_ok(account_find("0", &number));
        assert_int_equal(name.uid, 0);
        assert_int_equal(number.uid, 0);
        assert_int_equal(number.gid, name.gid);
        assert_non_null(name.home);
        assert_int_equal(name.home[0], '/');
        account_done(&name);
        account_done(&number);
        assert_null(name.home);
}

static void a_number_need_not_have_a_name(void **state) {
        Account a = {};

        assert_ok(account_find("3987654321", &a));
        assert_true(a.uid == 3987654321U);
        assert_int_equal(a.gid, 0);
        assert_null(a.home);
}

static void nobody_of_that_name_is_said(void **state) {
        Account a = {};
        gid_t gid = 7;

        assert_int_equal(account_find("nobody-has-this-name", &a), -ENOENT);
        assert_int_equal(account_find_group("nobody-has-this-name", &gid), -ENOENT);
        /* (uid_t) -1 means "no change" to chown(2), and is no user. */
        assert_int_equal(account_find("4294967295", &a), -ENOENT);
        assert_int_equal(gid, 7);
}

static void groups_are_found_as_well(void **state) {
        gid_t gid = 7;

        assert_ok(account_find_group("root", &gid));
        assert_int_equal(gid, 0);
        assert_ok(account_find_group("4711", &gid));
        assert_int_equal(gid, 4711);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(root_is_found_by_name_and_by_number),
                cmocka_unit_test(a_number_need_not_have_a_name),
                cmocka_unit_test(nobody_of_that_name_is_said),
                cmocka_unit_test(groups_are_found_as_well),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
