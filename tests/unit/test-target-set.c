/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets held against each other: built in, of files, masked, of users. */

#include "unit.h"

#include "base/text.h"
#include "model/target-set.h"

static void add(TargetSet *s, const char *name, const char *text) {
        _cleanup_free_ char *file = NULL;
        Conf *conf = NULL;

        assert_ok(text_format(&file, "/etc/pullauth/targets/%s.target", name));
        assert_ok(conf_new(&conf));
        assert_ok(strv_append(&conf->files, file));
        assert_ok(conf_parse(conf, file, text, strlen(text)));
        assert_ok(target_set_add(s, name, conf));
}

static bool is_there(const TargetSet *s, const char *name) {
        _cleanup_(target_config_freep) TargetConfig *t = NULL;
        int r = target_set_get(s, name, &t);

        assert_ok(r);
        assert_int_equal(r, t != NULL);
        return t;
}

static void built_in_ones_are_there_without_files(void **state) {
        _cleanup_(target_set_freep) TargetSet *s = NULL;
        _cleanup_free_ char *names = NULL;

        assert_ok(target_set_new(&s));
        assert_ok(target_set_check(s));
        assert_true(is_there(s, "system"));
        assert_true(is_there(s, "podman"));
        assert_false(is_there(s, "nowhere"));
        assert_true(is_there(s, "user:bob"));
        assert_false(is_there(s, "user:../x"));
        assert_ok(target_set_names(s, &names));
        assert_int_equal(strncmp(names, "system, podman, ", 16), 0);
}

static void files_add_change_and_mask(void **state) {
        _cleanup_(target_set_freep) TargetSet *s = NULL;
        size_t n;

        assert_ok(target_set_new(&s));
        n = s->n;
        add(s, "ci", "[Target]\nPath=/srv/ci.json\n");
        add(s, "system", "[Target]\nMode=0644\n");
        assert_int_equal(s->n, n + 1);
        assert_int_equal(target_set_find(s, "system")->config->mode, 0644);
        assert_true(is_there(s, "ci"));
        assert_ok(target_set_add(s, "podman", NULL));
        assert_ok(target_set_add(s, "nowhere", NULL));
        assert_int_equal(s->n, n);
        assert_false(is_there(s, "podman"));
        assert_ok(target_set_check(s));
}

static void what_is_wrong_cannot_be_had(void **state) {
        _cleanup_(target_set_freep) TargetSet *s = NULL;

        assert_ok(target_set_new(&s));
        add(s, "ci", "[Target]\nPath=relative\n");
        assert_non_null(target_set_find(s, "ci"));
        assert_false(is_there(s, "ci"));
}

static void one_file_is_of_one_target(void **state) {
        _cleanup_(target_set_freep) TargetSet *s = NULL;
        const TargetDefinition *d;

        assert_ok(target_set_new(&s));
        add(s, "a", "[Target]\nPath=/srv/a.json\n");
        add(s, "b", "[Target]\nPath=/srv/a.json\n");
        add(s, "mine", "[Target]\nPath=/etc/containers/auth.json\n");
        /* A built-in one that a file moves to the place of one without a file. */
        add(s, "crio", "[Target]\nPath=/var/lib/kubelet/config.json\n");
        assert_ok(target_set_check(s));
        assert_true(is_there(s, "a"));
        assert_true(is_there(s, "system"));
        assert_true(is_there(s, "kubelet"));
        assert_false(is_there(s, "b"));
        assert_false(is_there(s, "mine"));
        assert_false(is_there(s, "crio"));
        d = target_set_find(s, "mine");
        assert_non_null(strstr(d->conf->messages[0].text, "target 'system'"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(built_in_ones_are_there_without_files),
                cmocka_unit_test(files_add_change_and_mask),
                cmocka_unit_test(what_is_wrong_cannot_be_had),
                cmocka_unit_test(one_file_is_of_one_target),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
