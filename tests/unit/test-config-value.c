/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of one shape: taken whole, reset by nothing, refused with a sentence that says what would be
 * right. */

#include "unit.h"

#include "model/config-value.h"

static ConfAssignment make(const char *value) {
        return (ConfAssignment){ .section = (char *) "S", .key = (char *) "Key", .value = (char *) value };
}

static void tokens_are_printable_ascii(void **state) {
        _cleanup_free_ char *value = NULL, *error = NULL;
        ConfAssignment a = make("quay:x/1");

        assert_int_equal(config_set_token(&a, &value, &error), 0);
        assert_string_equal(value, "quay:x/1");
        a = make("two words");
        assert_int_equal(config_set_token(&a, &value, &error), 1);
        assert_non_null(strstr(error, "Key="));
        a = make("");
        assert_int_equal(config_set_token(&a, &value, &error), 0);
        assert_null(value);
}

static void paths_are_absolute_and_plain(void **state) {
        static const char *const bad[] = { "a", "./a", "/a/../b", "/a/./b", "/a//b", "/a/", "/", "/\xff" };
        _cleanup_free_ char *value = NULL, *error = NULL;
        ConfAssignment a = make("/run/x y/t.jwt");

        assert_int_equal(config_set_path(&a, &value, &error), 0);
        assert_string_equal(value, "/run/x y/t.jwt");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                a = make(bad[i]);
                if (config_set_path(&a, &value, &error) != 1)
                        fail_msg("'%s' should be refused", bad[i]);
        }
        assert_string_equal(value, "/run/x y/t.jwt");
}

static void booleans_reset_to_their_default(void **state) {
        _cleanup_free_ char *error = NULL;
        ConfAssignment a = make("yes");
        bool value = false;

        assert_int_equal(config_set_bool(&a, &value, false, &error), 0);
        assert_true(value);
        a = make("");
        assert_int_equal(config_set_bool(&a, &value, false, &error), 0);
        assert_false(value);
        a = make("maybe");
        assert_int_equal(config_set_bool(&a, &value, false, &error), 1);
        assert_non_null(strstr(error, "yes or no"));
}

static void spans_stay_within_their_bounds(void **state) {
        _cleanup_free_ char *error = NULL;
        ConfAssignment a = make("20min");
        usec_t value = 0;

        assert_int_equal(config_set_span(&a, &value, USEC_PER_SEC, USEC_PER_HOUR, "5min", &error), 0);
        assert_int_equal(value, 20 * USEC_PER_MINUTE);
        a = make("2h");
        assert_int_equal(config_set_span(&a, &value, USEC_PER_SEC, USEC_PER_HOUR, "5min", &error), 1);
        assert_non_null(strstr(error, "1h, for example 5min"));
        a = make("soon");
        assert_int_equal(config_set_span(&a, &value, USEC_PER_SEC, USEC_PER_HOUR, "5min", &error), 1);
        assert_int_equal(value, 20 * USEC_PER_MINUTE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tokens_are_printable_ascii),
                cmocka_unit_test(paths_are_absolute_and_plain),
                cmocka_unit_test(booleans_reset_to_their_default),
                cmocka_unit_test(spans_stay_within_their_bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
