/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names and patterns of units, and the address that the service manager connects from. */

#include "unit.h"

#include "base/text.h"
#include "model/unit-peer.h"

static void units_that_run_something_have_names(void **state) {
        static const char *const good[] = { "app.service",      "app@1.service", "a\\x2db@x\\x2fy.service",
                                            "a.b:c_d-e.socket", "var-lib.mount", "dev-sda1.swap",
                                            "app@a@b.service" };
        static const char *const bad[] = { "",
                                           "app",
                                           ".service",
                                           "service",
                                           "app.target",
                                           "app.timer",
                                           "app@.service",
                                           "@x.service",
                                           ".app.service",
                                           "a/b.service",
                                           "a b.service",
                                           "*.service",
                                           "app.service ",
                                           "\xc3\xa4.service" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                assert_true(unit_name_is_valid(good[i]));
                assert_true(unit_pattern_is_valid(good[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(unit_name_is_valid(bad[i]));
}

static void a_name_is_no_longer_than_the_service_manager_allows(void **state) {
        char name[300];

        memset(name, 'a', sizeof(name));
        memcpy(name + 255 - 8, ".service", 9);
        assert_true(unit_name_is_valid(name));
        memset(name, 'a', sizeof(name));
        memcpy(name + 256 - 8, ".service", 9);
        assert_false(unit_name_is_valid(name));
}

static void patterns_name_a_kind_or_are_a_star(void **state) {
        static const char *const good[] = { "*", "*.service", "app@*.service", "app-?.mount" };
        static const char *const bad[] = { "",          "**",          "app*",
                                           "*.target",  "[a].service", "app@.service",
                                           "/*.service" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(unit_pattern_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(unit_pattern_is_valid(bad[i]));
}

static void patterns_match_whole_names(void **state) {
        static const struct {
                const char *pattern, *unit;
                bool matches;
        } rows[] = {
                { "*", "app.service", true },
                { "app.service", "app.service", true },
                { "app.service", "my-app.service", false },
                { "app.service", "appxservice", false },
                { "app@*.service", "app@1.service", true },
                { "app@*.service", "app@a.b.service", true },
                { "app@*.service", "app.service", false },
                { "app@*.service", "app@1.socket", false },
                { "app-?.service", "app-1.service", true },
                { "app-?.service", "app-12.service", false },
                /* A backslash is part of names. */
                { "a\\x2db.service", "a\\x2db.service", true },
                { "a\\x2d*.service", "a\\x2db.service", true },
                { "a\\x2db.service", "ax2db.service", false },
                { "App.service", "app.service", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (unit_pattern_matches(rows[i].pattern, rows[i].unit) != rows[i].matches)
                        fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].unit);
}

#define PARSE(text, ret) unit_peer_parse(text, sizeof(text) - 1, ret)

static void an_address_says_unit_and_credential(void **state) {
        _cleanup_(unit_peer_done) UnitPeer p = {}, q = {}, longest = {};

        assert_ok(PARSE("\0adf9d86b6eda275e/unit/app.service/auth.json", &p));
        assert_string_equal(p.unit, "app.service");
        assert_string_equal(p.credential, "auth.json");
        assert_ok(PARSE("\0"
                        "0/unit/a\\x2db@x.service/.dot",
                        &q));
        assert_string_equal(q.unit, "a\\x2db@x.service");
        assert_string_equal(q.credential, ".dot");
        /* As long as an address can be: nothing ends it. */
        assert_ok(PARSE("\0adf9d86b6eda275e/unit/"
                        "a23456789012345678901234567890123456789012345678901234567890123456789012.service/x",
                        &longest));
        assert_int_equal(strlen(longest.unit), 80);
}

static void every_other_address_is_refused(void **state) {
        static const struct {
                const char *name;
                size_t size;
        } rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
                ROW(""),
                ROW("\0"),
                ROW("/run/app.sock"),
                ROW("adf9/unit/app.service/auth.json"),
                ROW("\0/unit/app.service/auth.json"),
                ROW("\0xyz/unit/app.service/auth.json"),
                ROW("\0ADF9/unit/app.service/auth.json"),
                ROW("\0adf9d86b6eda275e0/unit/app.service/auth.json"),
                ROW("\0adf9/user/app.service/auth.json"),
                ROW("\0adf9/unit/app.service"),
                ROW("\0adf9/unit/app.service/"),
                ROW("\0adf9/unit//auth.json"),
                ROW("\0adf9/unit/app/auth.json"),
                ROW("\0adf9/unit/app.service/a/b"),
                ROW("\0adf9/unit/app.service/a:b"),
                ROW("\0adf9/unit/app.service/a b"),
                ROW("\0adf9/unit/app.service/."),
                ROW("\0adf9/unit/app.service/.."),
                ROW("\0adf9/unit/app.service/auth.json\n"),
                ROW("\0adf9/unit/*/auth.json"),
                /* A NUL at the end would be another name than one without it. */
                ROW("\0adf9/unit/app.service/auth.json\0"),
                ROW("\0adf9/unit/app.service\0/auth.json"),
#undef ROW
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                UnitPeer p = {};

                if (unit_peer_parse(rows[i].name, rows[i].size, &p) != -EINVAL)
                        fail_msg("row %zu", i);
                assert_null(p.unit);
                assert_null(p.credential);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(units_that_run_something_have_names),
                cmocka_unit_test(a_name_is_no_longer_than_the_service_manager_allows),
                cmocka_unit_test(patterns_name_a_kind_or_are_a_star),
                cmocka_unit_test(patterns_match_whole_names),
                cmocka_unit_test(an_address_says_unit_and_credential),
                cmocka_unit_test(every_other_address_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
