/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The targets that are built in. */

#include "unit.h"

#include "model/name.h"
#include "model/target-config.h"

static void the_default_targets_are_the_files_that_tools_read(void **state) {
        assert_string_equal(target_config_find("system")->path, "/etc/containers/auth.json");
        assert_string_equal(target_config_find("podman")->path, "/run/containers/0/auth.json");
        assert_null(target_config_find("nowhere"));
}

static void new_files_are_for_root_alone(void **state) {
        const TargetConfig *all;
        size_t n;

        all = target_config_all(&n);
        for (size_t i = 0; i < n; i++) {
                assert_true(object_name_is_valid(all[i].name));
                assert_int_equal(all[i].path[0], '/');
                assert_int_equal(all[i].mode & 0077, 0);
                assert_int_equal(all[i].uid, 0);
                assert_int_equal(all[i].persistent, strncmp(all[i].path, "/run/", 5) != 0);
        }
}

static void names_are_listed_for_messages(void **state) {
        _cleanup_free_ char *names = NULL;

        assert_ok(target_config_names(&names));
        assert_string_equal(names, "system, podman");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_default_targets_are_the_files_that_tools_read),
                cmocka_unit_test(new_files_are_for_root_alone),
                cmocka_unit_test(names_are_listed_for_messages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
