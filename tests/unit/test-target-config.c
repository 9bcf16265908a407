/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets that are built in, and what *.target files say. */

#include "unit.h"

#include "base/text.h"
#include "model/name.h"
#include "model/target-config.h"

static TargetConfig *builtin(const char *name) {
        TargetConfig *t = NULL;

        assert_int_equal(target_config_default(name, &t), 1);
        return t;
}

static void expect_path(const char *name, const char *path) {
        _cleanup_(target_config_freep) TargetConfig *t = builtin(name);

        assert_string_equal(t->paths[0], path);
}

static void the_default_targets_are_the_files_that_tools_read(void **state) {
        TargetConfig *t = NULL;

        expect_path("system", "/etc/containers/auth.json");
        expect_path("podman", "/run/containers/0/auth.json");
        expect_path("crio", "/etc/crio/pullauth.json");
        expect_path("microshift", "/etc/crio/openshift-pull-secret");
        expect_path("kubelet", "/var/lib/kubelet/config.json");
        expect_path("bootc", "/run/ostree/auth.json");
        expect_path("docker", "~root/.docker/config.json");
        expect_path("user:bob", "~bob/.config/containers/auth.json");
        expect_path("image-builder", "/etc/osbuild-worker/pullauth.json");
        assert_int_equal(target_config_default("nowhere", &t), 0);
        assert_null(t);
}

static void new_files_are_for_root_alone(void **state) {
        for (size_t i = 0; target_config_builtin(i); i++) {
                _cleanup_(target_config_freep) TargetConfig *t = builtin(target_config_builtin(i));

                assert_true(object_name_is_valid(t->name));
                assert_int_equal(t->mode, 0600);
                assert_null(t->group);
                STRV_FOREACH(path, t->paths)
                        assert_int_equal(target_path_is_persistent(*path), strncmp(*path, "/run/", 5) != 0);
        }
}

static TargetConfig *read_target(const char *name, const char *text, Conf **ret) {
        TargetConfig *t = NULL;

        assert_ok(conf_new(ret));
        assert_ok(strv_append(&(*ret)->files, "/f"));
        assert_ok(conf_parse(*ret, "/f", text, strlen(text)));
        assert_ok(target_config_new(name, *ret, &t));
        return t;
}

static void a_file_says_all_of_it(void **state) {
        _cleanup_conf_ Conf *conf = NULL;
        _cleanup_(target_config_freep) TargetConfig *t = read_target(
                "ci",
                "[Target]\nPath=/srv/ci/auth.json\nOwner=ci\nGroup=12\nMode=0640\nKeys=registry\n"
                "Policy=own\n",
                &conf);

        assert_int_equal(conf->n_messages, 0);
        assert_string_equal(t->name, "ci");
        assert_string_equal(t->paths[0], "/srv/ci/auth.json");
        assert_null(t->paths[1]);
        assert_string_equal(t->owner, "ci");
        assert_string_equal(t->group, "12");
        assert_int_equal(t->mode, 0640);
        assert_int_equal(t->keys, TARGET_KEYS_REGISTRY);
        assert_int_equal(t->directory_mode, 0);
        assert_int_equal(t->policy, TARGET_POLICY_OWN);
}

static void others_have_room_unless_told_otherwise(void **state) {
        static const struct {
                const char *text;
                TargetPolicy policy;
        } rows[] = {
                { "Path=/a\n", TARGET_POLICY_MERGE },
                { "Path=/a\nPolicy=merge\n", TARGET_POLICY_MERGE },
                { "Path=/a\nPolicy=own\n", TARGET_POLICY_OWN },
                { "Path=/a\nPolicy=own\nPolicy=\n", TARGET_POLICY_MERGE },
                { "Path=/a\nTemplate=netrc\n", TARGET_POLICY_OWN },
                { "Path=/a\nTemplate=netrc\nPolicy=own\n", TARGET_POLICY_OWN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(target_config_freep) TargetConfig *t = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_conf_ Conf *conf = NULL;

                assert_ok(text_format(&text, "[Target]\n%s", rows[i].text));
                t = read_target("x", text, &conf);
                assert_int_equal(conf->n_messages, 0);
                assert_int_equal(t->policy, rows[i].policy);
        }
}

static void units_to_be_told_are_a_list(void **state) {
        _cleanup_(target_config_freep) TargetConfig *t = NULL, *other = NULL;
        _cleanup_conf_ Conf *conf = NULL, *another = NULL;

        t = read_target(
                "x", "[Target]\nPath=/a\nReloadUnit=a.service b.socket\nReloadUnit=c@1.service a.service\n",
                &conf);
        assert_int_equal(conf->n_messages, 0);
        assert_int_equal(strv_length(t->reload_units), 3);
        assert_string_equal(t->reload_units[2], "c@1.service");
        other = read_target("x", "[Target]\nPath=/a\nReloadUnit=a.service\nReloadUnit=\n", &another);
        assert_null(other->reload_units);
        assert_false(target_config_equal(t, other));
}

static void a_file_changes_what_is_built_in(void **state) {
        _cleanup_conf_ Conf *conf = NULL, *other = NULL;
        _cleanup_(target_config_freep) TargetConfig *t =
                read_target("system", "[Target]\nMode=0640\nGroup=podman\n", &conf);
        _cleanup_(target_config_freep) TargetConfig *moved =
                read_target("system", "[Target]\nPath=/etc/other.json\n", &other);
        _cleanup_(target_config_freep) TargetConfig *plain = builtin("system");

        assert_false(conf_has_error(conf));
        assert_string_equal(t->paths[0], plain->paths[0]);
        assert_int_equal(t->directory_mode, plain->directory_mode);
        assert_int_equal(t->mode, 0640);
        assert_false(target_config_equal(t, plain));
        assert_string_equal(moved->paths[0], "/etc/other.json");
        assert_int_equal(moved->directory_mode, 0);
}

static void what_is_wrong_is_said_with_its_line(void **state) {
        static const struct {
                const char *text, *said;
        } rows[] = {
                { "Mode=0600\n", "Path= is missing" },
                { "Path=relative\n", "absolute path" },
                { "Path=/a\nMode=0666\n", "Mode=0640" },
                { "Path=/a\nMode=0755\n", "Mode=0640" },
                { "Path=/a\nMode=04600\n", "Mode=0640" },
                { "Path=/a\nMode=rw\n", "Mode=0640" },
                { "Path=/a\nMode=0200\n", "Mode=0640" },
                { "Path=/a\nOwner=a:b\n", "Owner=root" },
                { "Path=/a\nGroup=/\n", "Group=root" },
                { "Path=/a\nKeys=all\n", "neither scopes nor registry" },
                { "Path=/a\nReloadUnit=app\n", "write for example ReloadUnit=app.service" },
                { "Path=/a\nReloadUnit=app@.service\n", "'app@.service' in ReloadUnit=" },
                { "Path=/a\nPolicy=replace\n", "neither merge nor own" },
                { "Path=/a\nPolicy=merge\nTemplate=netrc\n", "has no room for others" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_conf_ Conf *conf = NULL;
                _cleanup_free_ char *text = NULL, *said = NULL;
                TargetConfig *t;

                assert_ok(text_format(&text, "[Target]\n%s", rows[i].text));
                t = read_target("x", text, &conf);
                assert_true(conf_has_error(conf));
                assert_ok(conf_message_format(conf->messages, &said));
                assert_non_null(strstr(said, rows[i].said));
                assert_int_equal(strncmp(said, "/f:", 3), 0);
                target_config_free(t);
        }
}

static void keys_are_scopes_or_the_registry(void **state) {
        char *scopes[] = { (char *) "q/a", (char *) "q/b", NULL };
        const JobConfig job = { .registry = (char *) "q", .scopes = scopes };
        TargetConfig t = {};
        char *const *keys;
        size_t n;

        keys = target_config_keys(&t, &job, &n);
        assert_int_equal(n, 2);
        assert_string_equal(keys[1], "q/b");
        t.keys = TARGET_KEYS_REGISTRY;
        keys = target_config_keys(&t, &job, &n);
        assert_int_equal(n, 1);
        assert_string_equal(keys[0], "q");
        (void) target_config_keys(&t, &(const JobConfig){}, &n);
        assert_int_equal(n, 0);
}

static void an_orphan_is_no_target(void **state) {
        _cleanup_(target_config_freep) TargetConfig *orphan = NULL, *system = builtin("system");

        assert_ok(target_config_new_orphan("/a/b.json", &orphan));
        assert_true(target_config_is_orphan(orphan));
        assert_false(target_config_is_orphan(system));
}

static void who_shares_frees(void **state) {
        TargetConfig *t = builtin("system"), *other = target_config_share(t);

        assert_ptr_equal(t, other);
        target_config_free(t);
        assert_string_equal(other->name, "system");
        target_config_free(other);
}

static void words_of_the_file_are_those_of_the_enums(void **state) {
        for (TargetKeys k = 0; k < _TARGET_KEYS_MAX; k++)
                assert_int_equal(target_keys_from_string(target_keys_to_string(k)), k);
        for (TargetPolicy p = 0; p < _TARGET_POLICY_MAX; p++)
                assert_int_equal(target_policy_from_string(target_policy_to_string(p)), p);
        assert_null(target_policy_to_string(_TARGET_POLICY_INVALID));
        assert_null(target_keys_to_string(_TARGET_KEYS_INVALID));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_default_targets_are_the_files_that_tools_read),
                cmocka_unit_test(new_files_are_for_root_alone),
                cmocka_unit_test(a_file_says_all_of_it),
                cmocka_unit_test(units_to_be_told_are_a_list),
                cmocka_unit_test(others_have_room_unless_told_otherwise),
                cmocka_unit_test(a_file_changes_what_is_built_in),
                cmocka_unit_test(what_is_wrong_is_said_with_its_line),
                cmocka_unit_test(keys_are_scopes_or_the_registry),
                cmocka_unit_test(an_orphan_is_no_target),
                cmocka_unit_test(who_shares_frees),
                cmocka_unit_test(words_of_the_file_are_those_of_the_enums),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
