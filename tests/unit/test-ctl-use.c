/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl which" and "targets", to the byte: tools and files of a scratch directory, jobs of an
 * example. */

#include <locale.h>

#include "ctl/render.h"
#include "ctl/use.h"
#include "unit.h"

#include "ctl-example.h"

#define UNIT_FILE "/run/containers/0/auth.json"
#define EDGE "\"quay.example.com/acme\":{\"auth\":\"YWNtZStlZGdlOnNlY3JldA==\"}" /* acme+edge:secret */
#define BOSS "{\"auth\":\"Ym9zczpzZWNyZXQ=\"}"

static const Style plain = { .utf8 = true, .legend = true };
static char *podman_unit[] = { (char *) "podman-unit", NULL };

typedef struct World {
        char *root;
        Tools tools;
        Snapshot *snapshot;
        JobSnapshot *job;
} World;

static void open_world(World *w, char *root, char **names) {
        const ToolWish wish = { .root = root, .names = names };

        *w = (World){ .root = root };
        assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
        assert_int_equal(snapshot_new(&w->snapshot), 0);
        w->job = example_fresh(w->snapshot);
        assert_int_equal(strv_append(&w->job->targets, "system"), 0);
        for (size_t i = 0; i < w->job->target_states.n_items; i++) {
                ShownTarget *t = w->job->target_states.items + i;
                char *path = NULL;

                assert_int_equal(text_format(&path, "%s%s", root, t->path), 0);
                free(t->path);
                t->path = path;
        }
        assert_int_equal(tools_find(&wish, &w->tools), 0);
}

static void close_world(World *w) {
        tools_done(&w->tools);
        snapshot_free(w->snapshot);
}

/* What is printed, with the root left out. */
static void check_printed(const World *w, char *text, const char *expected) {
        size_t n = strlen(w->root);

        for (char *at; (at = strstr(text, w->root));)
                memmove(at, at + n, strlen(at + n) + 1);
        assert_string_equal(text, expected);
        assert_null(strstr(text, "secret"));
        free(text);
}

static void check_which(World *w, const char *image, const char *expected) {
        char *text = NULL;
        ShownUses uses;

        assert_int_equal(uses_find(&w->tools, image, w->snapshot, EXAMPLE_NOW, &uses), 0);
        assert_int_equal(render_which(&uses, image, w->snapshot != NULL, &plain, &text), 0);
        check_printed(w, text, expected);
        uses_done(&uses);
}

static void check_targets(World *w, const char *expected) {
        char *text = NULL;
        ShownTools shown;

        assert_int_equal(shown_tools_find(&w->tools, w->snapshot, EXAMPLE_NOW, &shown), 0);
        assert_int_equal(render_targets(&shown, w->snapshot != NULL, &plain, &text), 0);
        check_printed(w, text, expected);
        shown_tools_done(&shown);
}

static void what_a_job_put_there_is_its_own(void **state) {
        World w;

        write_file(*state, &UNIT_FILE[1], "{\"auths\":{" EDGE ",\"x.example\":" BOSS "}}");
        open_world(&w, *state, podman_unit);
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: acme+edge of job edge, 42min left\n"
                    "     File: " UNIT_FILE "\n"
                    "      Key: quay.example.com/acme (the longest key that covers the image)\n");
        check_targets(&w, "podman-unit: podman, buildah and skopeo as root in units, not installed\n"
                          "    Files: " UNIT_FILE ": 2 keys, 1 of pullauthd\n"
                          "           /root/.config/containers/auth.json: not there\n"
                          "           /root/.docker/config.json: not there\n"
                          "           /root/.dockercfg: not there\n"
                          "     Used: edge\n");
        close_world(&w);
}

static void what_stands_before_a_job_is_named(void **state) {
        World w;

        write_file(*state, &UNIT_FILE[1], "{\"auths\":{" EDGE ",\"quay.example.com/acme/app\":" BOSS "}}");
        open_world(&w, *state, podman_unit);
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: boss\n"
                    "     File: " UNIT_FILE "\n"
                    "      Key: quay.example.com/acme/app (the image's own key)\n"
                    "    To do: Remove 'quay.example.com/acme/app' from " UNIT_FILE
                    ", it stands before job edge\n");
        close_world(&w);
}

static void a_job_that_does_not_reach_a_tool_is_told_how(void **state) {
        World w;

        open_world(&w, *state, podman_unit);
        free(w.job->target_states.items[1].path);
        w.job->target_states.items[1].path = strdup("/elsewhere");
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: no credential\n"
                    "      Why: None of its files is there\n"
                    "    To do: pullauthctl set edge Targets='system podman'\n");
        check_which(
                &w, "other.example.com/acme/app",
                "other.example.com/acme/app\n\n"
                "podman-unit: no credential\n"
                "      Why: None of its files is there\n"
                "    To do: No job serves it: pullauthctl add JOB Registry=other.example.com Robot=ROBOT\n");
        close_world(&w);
}

static void a_broken_file_is_why_nothing_works(void **state) {
        World w;

        write_file(*state, &UNIT_FILE[1], "{\"auths\":\n");
        open_world(&w, *state, podman_unit);
        check_targets(&w, "podman-unit: podman, buildah and skopeo as root in units, not installed\n"
                          "    Files: " UNIT_FILE ":2:1: unexpected end\n"
                          "           /root/.config/containers/auth.json: not there\n"
                          "           /root/.docker/config.json: not there\n"
                          "           /root/.dockercfg: not there\n"
                          " Not used: quay.example.com/acme: it fails, " UNIT_FILE "\n"
                          "    To do: Mend or remove " UNIT_FILE "\n");
        close_world(&w);
}

static void a_program_of_registries_conf_comes_before_the_files(void **state) {
        World w;

        write_file(*state, &UNIT_FILE[1], "{\"auths\":{" EDGE "}}");
        write_file(*state, "etc/containers/registries.conf",
                   "credential-helpers = ['other', 'containers-auth.json']\n");
        open_world(&w, *state, podman_unit);
        check_which(
                &w, "quay.example.com/acme/app",
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked\n"
                "      Why: docker-credential-other is asked: credential-helpers in registries.conf name it "
                "in front of the files\n"
                "    To do: Remove the program from credential-helpers in registries.conf, or job edge does "
                "nothing here\n");
        check_targets(
                &w, "podman-unit: podman, buildah and skopeo as root in units, not installed\n"
                    "    Files: " UNIT_FILE ": 1 key, 1 of pullauthd\n"
                    "           /root/.config/containers/auth.json: not there\n"
                    "           /root/.docker/config.json: not there\n"
                    "           /root/.dockercfg: not there\n"
                    "    Asked: other, then containers-auth.json (credential-helpers in registries.conf; "
                    "containers-auth.json stands for the files)\n"
                    " Not used: quay.example.com/acme: a program is asked\n"
                    "    To do: Remove the program from credential-helpers in registries.conf, or job edge "
                    "does nothing here\n");
        close_world(&w);
}

static void our_own_program_hands_out_what_the_job_of_a_registry_has(void **state) {
        JobSnapshot *second;
        World w;

        write_file(*state, "etc/containers/registries.conf.d/p.conf", "credential-helpers = ['pullauth']\n");
        open_world(&w, *state, podman_unit);
        check_which(
                &w, "quay.example.com/acme/app",
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked, for job edge, 42min left\n"
                "      Why: docker-credential-pullauth is asked: credential-helpers in registries.conf name "
                "it, and no files\n");
        second = example_add_job(w.snapshot, "second", "fresh");
        assert_ok(free_and_strdup(&second->registry, "quay.example.com"));
        second->enabled = true;
        check_which(
                &w, "quay.example.com/acme/app",
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked\n"
                "      Why: docker-credential-pullauth is asked: credential-helpers in registries.conf name "
                "it, and no files\n"
                "    To do: It is asked for a registry and not for an image, and several jobs are there: "
                "take it out of credential-helpers in registries.conf\n");
        close_world(&w);
}

static void our_own_program_has_nothing_from_a_job_that_has_nothing(void **state) {
        static const char first[] =
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked, for job edge, 0s left\n"
                "      Why: docker-credential-pullauth is asked: credential-helpers in registries.conf name "
                "it, for the files have no answer\n"
                "    To do: pullauthctl status edge\n";
        World w;

        write_file(*state, "etc/containers/registries.conf",
                   "credential-helpers = ['containers-auth.json', 'pullauth']\n");
        open_world(&w, *state, podman_unit);
        /* One that ended, and one that never came. */
        w.job->expires = EXAMPLE_NOW;
        check_which(&w, "quay.example.com/acme/app", first);
        w.job->expires = 0;
        check_which(&w, "quay.example.com/acme/app", first);
        w.job->enabled = false;
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: a program is asked\n"
                    "      Why: docker-credential-pullauth is asked: credential-helpers in registries.conf "
                    "name it, for the files have no answer\n"
                    "    To do: pullauthctl enable edge\n");
        close_world(&w);
}

static void a_program_behind_the_files_is_not_in_the_way(void **state) {
        World w;

        write_file(*state, "etc/containers/registries.conf",
                   "credential-helpers = ['containers-auth.json', 'other']\n");
        open_world(&w, *state, podman_unit);
        check_which(
                &w, "quay.example.com/acme/app",
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked\n"
                "      Why: docker-credential-other is asked: credential-helpers in registries.conf name "
                "it, for the files have no answer\n"
                "    To do: pullauthctl status edge\n");
        close_world(&w);
}

/* Nor is ours, behind the files, where several jobs are for the registry. */
static void our_program_behind_the_files_is_not_in_the_way(void **state) {
        JobSnapshot *second;
        World w;

        write_file(*state, "etc/containers/registries.conf",
                   "credential-helpers = ['containers-auth.json', 'pullauth']\n");
        open_world(&w, *state, podman_unit);
        second = example_add_job(w.snapshot, "second", "fresh");
        assert_ok(free_and_strdup(&second->registry, "quay.example.com"));
        second->enabled = true;
        free(w.job->target_states.items[1].path);
        w.job->target_states.items[1].path = strdup("/elsewhere");
        check_which(
                &w, "quay.example.com/acme/app",
                "quay.example.com/acme/app\n\n"
                "podman-unit: a program is asked\n"
                "      Why: docker-credential-pullauth is asked: credential-helpers in registries.conf name "
                "it, for the files have no answer\n"
                "    To do: pullauthctl set edge Targets='system podman'\n");
        close_world(&w);
}

static void what_settings_name_is_shown_clean_and_read_as_it_is(void **state) {
        World w;

        write_file(*state, "root/.config/containers/containers.conf",
                   "[engine]\nenv = [\"REGISTRY_AUTH_FILE=/x\\u001b]0;t\\u0007\\ny\"]\n");
        write_file(*state, "etc/containers/containers.conf.d/a\033[2J\n.conf", "[");
        write_file(*state, "x\033]0;t\007\ny", "{\"auths\":{" EDGE "}}");
        open_world(&w, *state, podman_unit);
        assert_ok(strv_append(&w.job->targets, "podman"));
        assert_int_equal(strv_length(w.tools.notes), 1);
        assert_non_null(strstr(w.tools.notes[0], "/containers.conf.d/a?[2J?.conf:1: "));
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: acme+edge\n"
                    "     File: /x?]0;t??y\n"
                    "      Key: quay.example.com/acme (the longest key that covers the image)\n"
                    "    To do: Let [engine] env in containers.conf name the file of target 'podman'\n");
        close_world(&w);
}

/* $DOCKER_CONFIG names a directory; what comes before it can name the file. */
static void what_comes_before_the_directory_of_docker_can_name_the_file(void **state) {
        static char *podman_shell[] = { (char *) "podman-shell", NULL };
        ShownUses uses;
        World w;

        assert_ok(unsetenv("REGISTRY_AUTH_FILE"));
        assert_ok(setenv("DOCKER_CONFIG", "/d", true));
        open_world(&w, *state, podman_shell);
        assert_ok(unsetenv("DOCKER_CONFIG"));
        assert_ok(free_and_strdup(&w.tools.items[0].target, "system"));
        assert_int_equal(uses_find(&w.tools, "quay.example.com/acme/app", w.snapshot, EXAMPLE_NOW, &uses),
                         0);
        assert_string_equal(uses.items[0].hint, "Let $REGISTRY_AUTH_FILE name the file of target 'system'");
        uses_done(&uses);
        close_world(&w);
}

static void a_directory_of_settings_that_cannot_be_read_is_told_of(void **state) {
        char path[128];
        World w;

        write_file(*state, "etc/containers/containers.conf", "");
        snprintf(path, sizeof(path), "%s/etc/containers/containers.conf.d", (char *) *state);
        assert_ok(symlink("containers.conf.d", path));
        open_world(&w, *state, podman_unit);
        assert_int_equal(strv_length(w.tools.notes), 1);
        assert_non_null(strstr(w.tools.notes[0], "containers.conf.d: Too many levels of symbolic links"));
        close_world(&w);
}

static void podman_takes_the_file_that_its_engine_is_told_of(void **state) {
        World w;

        write_file(*state, "usr/share/containers/containers.conf",
                   "[engine]\nenv = ['REGISTRY_AUTH_FILE=/no.json']\n");
        write_file(*state, "etc/containers/containers.conf.d/a.conf",
                   "[engine]\nenv = ['A=', 'REGISTRY_AUTH_FILE=/etc/containers/auth.json',\n"
                   "'REGISTRY_AUTH_FILE=']");
        write_file(*state, "etc/containers/containers.conf.d/b.conf",
                   "[engine]\nenv = ['C=d', {append = true}]\n");
        write_file(*state, "root/.config/containers/containers.conf",
                   "[engine]\nenv = ['REGISTRY_AUTH_FILE=/n.json']");
        write_file(*state, "root/.config/containers/containers.conf.d/c.conf",
                   "[engine]\nenv = ['REGISTRY_AUTH_FILE=/b.json'] x");
        write_file(*state, "etc/containers/auth.json", "{\"auths\":{" EDGE "}}");
        open_world(&w, *state, podman_unit);
        assert_int_equal(strv_length(w.tools.notes), 1);
        assert_non_null(strstr(w.tools.notes[0], "containers.conf.d/c.conf:2: something behind the value"));
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: acme+edge of job edge, 42min left\n"
                    "     File: /etc/containers/auth.json\n"
                    "      Key: quay.example.com/acme (the longest key that covers the image)\n");
        check_targets(&w,
                      "podman-unit: podman, buildah and skopeo as root in units, not installed\n"
                      "    Files: /etc/containers/auth.json: 1 key, 1 of pullauthd\n"
                      "           [engine] env in containers.conf names this file; no other is read, but by "
                      "skopeo, which goes without that\n"
                      "     Used: edge\n");
        close_world(&w);
        /* A list without it, which is not appended, takes it away. */
        write_file(*state, "etc/containers/containers.conf.d/b.conf",
                   "[engine]\nenv = ['C=d', {append = false}]\n");
        write_file(*state, "root/.config/containers/containers.conf", "[engine]\nenv = []");
        open_world(&w, *state, podman_unit);
        assert_null(w.tools.items[0].named_by);
        close_world(&w);
}

static void without_the_daemon_whose_it_is_is_not_known(void **state) {
        World w;

        write_file(*state, &UNIT_FILE[1], "{\"auths\":{" EDGE "}}");
        open_world(&w, *state, podman_unit);
        w.snapshot = snapshot_free(w.snapshot);
        check_which(&w, "quay.example.com/acme/app",
                    "quay.example.com/acme/app\n\n"
                    "podman-unit: acme+edge\n"
                    "     File: " UNIT_FILE "\n"
                    "      Key: quay.example.com/acme (the longest key that covers the image)\n\n"
                    "pullauthd is not running: which of these credentials are its own is not known.\n");
        close_world(&w);
}

static void only_tools_that_are_there_are_shown_unasked(void **state) {
        ToolWish wish = { .root = *state };
        Tools tools;

        write_file(*state, "usr/bin/kubelet", "");
        assert_int_equal(tools_find(&wish, &tools), 0);
        assert_int_equal(tools.n_items, 1);
        assert_string_equal(tools.items[0].consumer->name, "kubelet");
        tools_done(&tools);
        wish.all = true;
        assert_int_equal(tools_find(&wish, &tools), 0);
        assert_true(tools.n_items > 3);
        tools_done(&tools);
        wish.user = "no such user";
        assert_int_equal(tools_find(&wish, &tools), -ESRCH);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_a_job_put_there_is_its_own, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(what_stands_before_a_job_is_named, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(a_job_that_does_not_reach_a_tool_is_told_how, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(a_broken_file_is_why_nothing_works, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(a_program_of_registries_conf_comes_before_the_files,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(our_own_program_hands_out_what_the_job_of_a_registry_has,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(our_own_program_has_nothing_from_a_job_that_has_nothing,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(a_program_behind_the_files_is_not_in_the_way, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(our_program_behind_the_files_is_not_in_the_way,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(what_settings_name_is_shown_clean_and_read_as_it_is,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(what_comes_before_the_directory_of_docker_can_name_the_file,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(a_directory_of_settings_that_cannot_be_read_is_told_of,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(podman_takes_the_file_that_its_engine_is_told_of,
                                                setup_scratch, teardown_scratch),
                cmocka_unit_test_setup_teardown(without_the_daemon_whose_it_is_is_not_known, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(only_tools_that_are_there_are_shown_unasked, setup_scratch,
                                                teardown_scratch),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
