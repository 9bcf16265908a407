/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Secrets of clusters as values: names and pairs. */

#include "base/text.h"
#include "model/cluster-secret.h"
#include "unit.h"

static void actions_have_names_that_read_back(void **state) {
        for (ClusterAction a = 0; a < _CLUSTER_ACTION_MAX; a++)
                assert_int_equal(cluster_action_from_string(cluster_action_to_string(a)), a);
        assert_null(cluster_action_to_string(_CLUSTER_ACTION_MAX));
        assert_null(cluster_action_to_string(_CLUSTER_ACTION_INVALID));
        assert_int_equal(cluster_action_from_string("replace"), _CLUSTER_ACTION_INVALID);
        assert_int_equal(cluster_action_from_string(NULL), _CLUSTER_ACTION_INVALID);
}

static char *letters(size_t n) {
        char *s = calloc(1, n + 1);

        assert_non_null(s);
        memset(s, 'a', n);
        return s;
}

static void objects_are_called_as_dns_has_it(void **state) {
        static const char *const good[] = { "a", "quay-pull", "edge.1", "0" }, *const bad[] = {
                "", "A", "-a", "a-", "a.", ".a", "a..b", "a_b", "a/b", "a b", "\xc3\xa4"
        };
        _cleanup_free_ char *longest = letters(253), *longer = letters(254);

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(cluster_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(cluster_name_is_valid(bad[i]));
        assert_true(cluster_name_is_valid(longest));
        assert_false(cluster_name_is_valid(longer));
}

static void labels_and_annotations_have_rules_of_their_own(void **state) {
        static const char *const good[] = { "a", "tekton.dev/docker-0", "A_b.c" }, *const bad[] = {
                "", "/a", "a/", "a/b/c", "A/b", "a b", "-a", "a=b"
        };
        _cleanup_free_ char *longest = letters(63), *longer = letters(64);

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(cluster_key_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(cluster_key_is_valid(bad[i]));
        assert_true(cluster_key_is_valid(longest) && cluster_label_is_valid(longest));
        assert_false(cluster_key_is_valid(longer) || cluster_label_is_valid(longer));
        assert_true(cluster_label_is_valid("") && cluster_label_is_valid("a.B_c-1"));
        assert_false(cluster_label_is_valid("https://quay") || cluster_label_is_valid("-"));
}

static void what_is_wanted_has_to_be_there_with_its_value(void **state) {
        char *found[] = { (char *) "a", (char *) "1", (char *) "b", (char *) "2", NULL };
        char *same[] = { (char *) "b", (char *) "2", NULL }, *other[] = { (char *) "b", (char *) "1", NULL },
             *more[] = { (char *) "a", (char *) "1", (char *) "c", (char *) "", NULL };

        assert_true(cluster_pairs_contain(found, NULL) && cluster_pairs_contain(NULL, NULL));
        assert_true(cluster_pairs_contain(found, found) && cluster_pairs_contain(found, same));
        assert_false(cluster_pairs_contain(found, other) || cluster_pairs_contain(found, more) ||
                     cluster_pairs_contain(NULL, same));
}

static void one_can_be_freed_at_any_stage(void **state) {
        ClusterSecret *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        assert_ok(free_and_strdup(&s->name, "quay-pull"));
        assert_ok(strv_append(&s->labels, "a"));
        assert_int_equal(secret_new_string("{}", &s->data), 0);
        assert_null(cluster_secret_free(s));
        assert_null(cluster_secret_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(actions_have_names_that_read_back),
                cmocka_unit_test(objects_are_called_as_dns_has_it),
                cmocka_unit_test(labels_and_annotations_have_rules_of_their_own),
                cmocka_unit_test(what_is_wanted_has_to_be_there_with_its_value),
                cmocka_unit_test(one_can_be_freed_at_any_stage),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
