/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which strings may be names. Tables of good and bad ones; nothing else. */

#include "unit.h"

#include "model/name.h"

static void check(bool (*is_valid)(const char *), const char *const *good, const char *const *bad) {
        for (; *good; good++)
                if (!is_valid(*good))
                        fail_msg("'%s' should be valid", *good);
        for (; *bad; bad++)
                if (is_valid(*bad))
                        fail_msg("'%s' should not be valid", *bad);
}

static void object_names_are_plain(void **state) {
        static const char *const good[] = { "a", "edge", "Edge-1.x_y", "0", NULL };
        static const char *const bad[] = { "", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "a%", "é", NULL };
        char name[JOB_NAME_MAX + 2] = {};

        check(object_name_is_valid, good, bad);
        memset(name, 'a', JOB_NAME_MAX);
        assert_true(object_name_is_valid(name));
        name[JOB_NAME_MAX] = 'a';
        assert_false(object_name_is_valid(name));
}

static void registries_are_hosts_with_ports(void **state) {
        static const char *const good[] = { "quay.io",     "quay.example.com:8443",
                                            "localhost:1", "127.0.0.1:65535",
                                            "[::1]:443",   "[fe80::1]",
                                            "a-b.c",       "q",
                                            NULL };
        static const char *const bad[] = {
                "",     "Quay.io", "quay.io:", "quay.io:0", "quay.io:65536", "quay.io:01", "-a.b",
                "a-.b", "a..b",    ".a",       "a b",       "a/b",           "https://a",  "user@a",
                "[::1", "[]",      "[::g]",    "a:443x",    "a:+1",          "a\n",        NULL
        };

        check(registry_is_valid, good, bad);
}

static void robots_have_two_parts(void **state) {
        static const char *const good[] = { "acme+edge", "Acme_1+Edge.2-x", "a+b", NULL };
        static const char *const bad[] = { "",      "acme",  "+edge", "acme+", "a+b+c",
                                           "a b+c", "a+b:c", "a/b+c", "a+b\n", NULL };

        check(robot_is_valid, good, bad);
}

static void scope_paths_are_repository_paths(void **state) {
        static const char *const good[] = { "acme", "acme/app", "a/b/c", "a.b_c-d/e", NULL };
        static const char *const bad[] = { "",    "/",   "/a",  "a/",     "a//b", "A",
                                           "a b", "a:b", "a@b", "../a/ ", NULL };

        check(scope_path_is_valid, good, bad);
}

static void the_namespace_is_what_stands_before_the_plus(void **state) {
        _cleanup_free_ char *name = NULL;

        assert_ok(robot_namespace("acme+edge", &name));
        assert_string_equal(name, "acme");
}

static void patterns_of_robots_are_one_or_a_namespace(void **state) {
        static const char *const valid[] = { "acme+pull", "acme+*", "a.b-c+*" }, *const wrong[] = {
                "", "*", "+*", "acme", "acme*", "acme+", "acme+p*", "a+b+*", "*+*", "acme+**", "*+pull"
        };

        for (size_t i = 0; i < ELEMENTSOF(valid); i++)
                assert_true(robot_pattern_is_valid(valid[i]));
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_false(robot_pattern_is_valid(wrong[i]));
        assert_true(robot_pattern_matches("acme+pull", "acme+pull"));
        assert_false(robot_pattern_matches("acme+pull", "acme+pull2"));
        assert_false(robot_pattern_matches("acme+pull", "acme+pul"));
        assert_true(robot_pattern_matches("acme+*", "acme+pull"));
        assert_false(robot_pattern_matches("acme+*", "acme2+pull"));
        assert_false(robot_pattern_matches("acme+*", "acm+pull"));
        assert_false(robot_pattern_matches("acme+*", "acme+"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(object_names_are_plain),
                cmocka_unit_test(registries_are_hosts_with_ports),
                cmocka_unit_test(robots_have_two_parts),
                cmocka_unit_test(scope_paths_are_repository_paths),
                cmocka_unit_test(the_namespace_is_what_stands_before_the_plus),
                cmocka_unit_test(patterns_of_robots_are_one_or_a_namespace),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
