/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files the tools of the table read, for whom. */

#include "unit.h"

#include "base/text.h"
#include "model/consumer.h"
#include "model/name.h"

static const Consumer *get(const char *name) {
        const Consumer *consumers;
        size_t n;

        consumers = consumer_all(&n);
        for (size_t i = 0; i < n; i++)
                if (streq(consumers[i].name, name))
                        return consumers + i;
        fail_msg("there is no tool %s", name);
        return NULL;
}

static void check_paths(const char *name, const ConsumerContext *context, const char *expected) {
        _cleanup_free_ char *joined = NULL;
        _cleanup_strv_ char **l = NULL;
        ConsumerPaths paths;

        assert_int_equal(consumer_paths(get(name), context, &paths), 0);
        for (size_t i = 0; i < paths.n_items; i++)
                assert_ok(strv_append(&l, paths.items[i].path));
        assert_ok(strv_join(l, " ", &joined));
        assert_string_equal(joined, expected);
        consumer_paths_done(&paths);
        consumer_paths_done(&paths);
}

static void a_unit_of_root_reads_four_files(void **state) {
        check_paths("podman-unit", &(ConsumerContext){ .home = "/root" },
                    "/run/containers/0/auth.json /root/.config/containers/auth.json "
                    "/root/.docker/config.json /root/.dockercfg");
}

static void the_environment_moves_them(void **state) {
        check_paths("podman-shell",
                    &(ConsumerContext){ .uid = 1000,
                                        .home = "/home/u",
                                        .runtime_dir = "/run/user/1000",
                                        .config_home = "/c" },
                    "/run/user/1000/containers/auth.json /c/containers/auth.json "
                    "/home/u/.docker/config.json /home/u/.dockercfg");
        check_paths("podman-shell", &(ConsumerContext){ .uid = 1000, .home = "/home/u", .runtime_dir = "" },
                    "/run/containers/1000/auth.json /home/u/.config/containers/auth.json "
                    "/home/u/.docker/config.json /home/u/.dockercfg");
        check_paths("docker", &(ConsumerContext){ .home = "/home/u" }, "/home/u/.docker/config.json");
}

static void a_file_that_is_named_switches_all_others_off(void **state) {
        const ConsumerContext context = { .home = "/home/u", .auth_file = "/x.json" };
        ConsumerPaths paths;

        check_paths("podman-shell", &context, "/x.json");
        check_paths("docker", &context, "/home/u/.docker/config.json");
        assert_int_equal(consumer_paths(get("podman-shell"), &context, &paths), 0);
        assert_string_equal(paths.named_by, "$REGISTRY_AUTH_FILE");
        consumer_paths_done(&paths);
}

static void a_setting_names_the_only_file(void **state) {
        const ConsumerContext context = { .home = "/root", .auth_file = "/x.json", .set_file = "/s.json" };

        check_paths("crio", &context, "/s.json");
        check_paths("image-builder", &context, "/s.json");
        check_paths("image-builder", &(ConsumerContext){ .home = "/root" }, "");
        check_paths("podman-shell", &context, "/x.json");
}

static void check_named(const char *name, const ConsumerContext *context, const char *path, const char *by) {
        ConsumerPaths paths;

        check_paths(name, context, path);
        assert_int_equal(consumer_paths(get(name), context, &paths), 0);
        assert_string_equal(paths.named_by, by);
        consumer_paths_done(&paths);
}

static void the_engine_of_podman_has_an_environment_of_its_own(void **state) {
        ConsumerContext context = { .home = "/home/u", .engine_file = "/e.json", .docker_config = "/d" };

        check_named("podman-shell", &context, "/e.json", NAMED_BY_ENGINE);
        check_named("podman-unit", &context, "/e.json", NAMED_BY_ENGINE);
        check_paths("docker", &context, "/d/config.json");
        check_paths("bootc", &context,
                    "/run/ostree/auth.json /etc/ostree/auth.json /usr/lib/ostree/auth.json");
        context.auth_file = "/x.json";
        check_named("podman-shell", &context, "/x.json", "$REGISTRY_AUTH_FILE");
        check_named("podman-unit", &context, "/e.json", NAMED_BY_ENGINE);
        /* A variable that is empty is set all the same. */
        context.auth_file = "";
        check_named("podman-shell", &context, "/d/config.json", NAMED_BY_DOCKER);
        context.docker_config = "";
        check_paths("podman-shell", &context,
                    "/run/containers/0/auth.json /home/u/.config/containers/auth.json "
                    "/home/u/.docker/config.json /home/u/.dockercfg");
}

static void tools_are_called_by_their_programs_too(void **state) {
        assert_true(consumer_is_called(get("podman-unit"), "skopeo"));
        assert_true(consumer_is_called(get("podman-unit"), "podman-unit"));
        assert_false(consumer_is_called(get("podman-unit"), "podma"));
        assert_false(consumer_is_called(get("podman-unit"), "podman buildah"));
}

static void names_can_be_typed_and_are_unique(void **state) {
        const Consumer *consumers;
        size_t n;

        consumers = consumer_all(&n);
        for (size_t i = 0; i < n; i++) {
                assert_true(object_name_is_valid(consumers[i].name));
                assert_true(consumers[i].places[0].path || consumers[i].setting);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(consumers[i].name, consumers[k].name);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_unit_of_root_reads_four_files),
                cmocka_unit_test(the_environment_moves_them),
                cmocka_unit_test(a_file_that_is_named_switches_all_others_off),
                cmocka_unit_test(a_setting_names_the_only_file),
                cmocka_unit_test(the_engine_of_podman_has_an_environment_of_its_own),
                cmocka_unit_test(tools_are_called_by_their_programs_too),
                cmocka_unit_test(names_can_be_typed_and_are_unique),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
