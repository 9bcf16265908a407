/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where registries.conf has an image pulled from. */

#include "unit.h"

#include <errno.h>

#include "base/text.h"
#include "model/registries.h"

static void add(Registries *l, const char *text) {
        TomlError error = {};

        if (registries_add(l, text, strlen(text), &error) < 0)
                fail_msg("%zu: %s", error.line, error.what);
}

static void check(const Registries *l, const char *repository, const char *expected) {
        _cleanup_free_ char *joined = NULL;
        _cleanup_strv_ char **sources = NULL;

        assert_int_equal(registries_sources(l, repository, &sources), 0);
        assert_int_equal(strv_join(sources, " ", &joined), 0);
        assert_string_equal(strempty(joined), expected);
}

static void mirrors_come_before_the_place_itself(void **state) {
        _cleanup_(registries_done) Registries l = {};

        check(&l, "q.io/acme/app", "");
        add(&l, "unqualified-search-registries = [\"q.io\"]\n"
                "[[registry]]\nprefix = \"q.io/acme\"\nlocation = \"r.io/mirror\"\n"
                "[[registry.mirror]]\nlocation = \"m.io\"\n[[registry.mirror]]\nlocation = \"n.io/x\"\n"
                "[[registry]]\nlocation = \"q.io\"\n[[registry]]\nprefix='*.w.io'\nlocation='one.io'\n"
                "[aliases]\n\"app\" = \"q.io/acme/app\"\n");
        check(&l, "q.io/acme/app", "m.io/app n.io/x/app r.io/mirror/app");
        check(&l, "q.io/acme", "m.io n.io/x r.io/mirror");
        check(&l, "q.io/acmes/app", "");
        check(&l, "s.io/app", "");
        check(&l, "a.w.io/b/app", "one.io/b/app");
        check(&l, "w.io/b/app", "");
        check(&l, "aw.io/b/app", "");
}

static void a_later_file_stands_before_an_earlier_one(void **state) {
        _cleanup_(registries_done) Registries l = {};
        TomlError error;

        add(&l, "[[registry]]\nprefix='q.io'\nlocation='a.io'\n");
        add(&l, "[[registry]]\nprefix='q.io'\n[[registry.mirror]]\nlocation='b.io'\n");
        check(&l, "q.io/app", "b.io/app q.io/app");
        assert_int_equal(registries_add(&l, "[[registry]]\nprefix='q.io/app'\nx", 32, &error), -EBADMSG);
        assert_int_equal(error.line, 3);
        check(&l, "q.io/app", "b.io/app q.io/app");
}

static void check_helpers(const Registries *l, const char *expected) {
        _cleanup_free_ char *joined = NULL;

        assert_int_equal(strv_join(l->helpers, " ", &joined), 0);
        assert_string_equal(strempty(joined), expected);
}

#define EIGHT "'x','x','x','x','x','x','x','x',"

static void helpers_of_a_later_file_take_the_place_of_earlier_ones(void **state) {
        _cleanup_(registries_done) Registries l = {};
        TomlError error;

        check_helpers(&l, "");
        add(&l, "credential-helpers = ['a', \"containers-auth.json\"]\n[[registry]]\nlocation='q.io'\n");
        check_helpers(&l, "a containers-auth.json");
        add(&l, "credential-helpers = 'c'\n[x]\ncredential-helpers = ['d']\n[[registry]]\nlocation=['e']\n");
        check_helpers(&l, "a containers-auth.json");
        assert_int_equal(l.n_items, 1);
        assert_int_equal(registries_add(&l, "credential-helpers = ['b']\nx", 28, &error), -EBADMSG);
        check_helpers(&l, "a containers-auth.json");
        add(&l, "credential-helpers = ['b']\n");
        check_helpers(&l, "b");
        add(&l, "credential-helpers = []\n");
        assert_null(l.helpers);
        add(&l, "credential-helpers = [" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "]\n");
        assert_int_equal(strv_length(l.helpers), 64);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mirrors_come_before_the_place_itself),
                cmocka_unit_test(a_later_file_stands_before_an_earlier_one),
                cmocka_unit_test(helpers_of_a_later_file_take_the_place_of_earlier_ones),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
