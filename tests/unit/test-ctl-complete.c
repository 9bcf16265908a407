/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may come next on a command line. */

#include "base/text.h"
#include "ctl/complete.h"
#include "unit.h"

static void check(const char *line, const char *expected) {
        char *const jobs[] = { (char *) "edge", (char *) "lab", NULL };
        char *const registries[] = { (char *) "quay.example.com", NULL };
        char *const identities[] = { (char *) "node", NULL };
        char *const targets[] = { (char *) "system", NULL };
        const CompletionNames names = { jobs, registries, identities, targets };
        _cleanup_strv_ char **words = NULL, **candidates = NULL;
        _cleanup_free_ char *joined = NULL;

        assert_ok(strv_split_words(line, &words));
        if (endswith(line, " ") || isempty(line))
                assert_ok(strv_append(&words, ""));
        assert_ok(complete(words, &names, &candidates));
        for (size_t i = 0; candidates && candidates[i]; i++)
                candidates[i][strcspn(candidates[i], "\t")] = '\0';
        assert_ok(strv_join(candidates, " ", &joined));
        assert_string_equal(joined, expected);
}

static void commands_come_first(void **state) {
        check("re", "refresh reset-failed render remove reload");
        check("help lis", "list");
        check("--json sta", "status");
        check("xyz", "");
}

static void arguments_are_of_their_kind(void **state) {
        check("status ", "edge lab");
        check("status edge l", "lab");
        check("status --json e", "edge");
        check("identity ", "node");
        check("render ", "system");
        check("cat n", "node.identity");
        check("cat ", "edge lab node.identity system.target");
        check("completion ", "bash zsh fish");
        check("test edge ", "");
        check("test --timeout 30s ", "edge lab");
        check("--json test ", "edge lab");
        check("add ", "");
        check("add new Ro", "Robot=");
        check("set edge Identity=", "Identity=node");
        check("set edge Registry=q", "Registry=quay.example.com");
        check("set edge TakeOver=", "TakeOver=yes TakeOver=no");
        check("set edge Nothing=", "");
        check("metrics ", "");
}

static void options_are_those_of_the_command(void **state) {
        check("list --r", "--registry=");
        check("--r", "");
        check("refresh --wa", "--wait");
        check("list --wa", "");
        check("list --registry=", "--registry=quay.example.com");
        check("--color=a", "--color=auto --color=always");
        check("--json=s", "--json=short");
        check("--js", "--json");
        check("refresh --timeout=2", "--timeout=2min");
        check("--nothing=", "");
}

static void names_are_asked_for_where_they_may_stand(void **state) {
        char *const job[] = { (char *) "status", (char *) "", NULL };
        char *const option[] = { (char *) "status", (char *) "--j", NULL };
        char *const registry[] = { (char *) "list", (char *) "--registry=q", NULL };
        char *const verb[] = { (char *) "st", NULL };
        char *const none[] = { NULL };

        assert_true(complete_needs_names(job));
        assert_true(complete_needs_names(registry));
        assert_false(complete_needs_names(option));
        assert_false(complete_needs_names(verb));
        assert_false(complete_needs_names(none));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(commands_come_first),
                cmocka_unit_test(arguments_are_of_their_kind),
                cmocka_unit_test(options_are_those_of_the_command),
                cmocka_unit_test(names_are_asked_for_where_they_may_stand),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
