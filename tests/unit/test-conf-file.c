/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files of the configuration written and removed on request: whole or not at all, and nothing but files. */

#include "unit.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/text.h"
#include "io/conf-file.h"

static const ConfKind jobs = { "jobs", ".job" };
static const struct stat nothing;

#define MAIN (&(const ConfFile){ CONF_PLACE_ETC, &jobs, "edge", NULL })
#define DROP_IN (&(const ConfFile){ CONF_PLACE_ETC, &jobs, "edge", "50-bus.conf" })
#define RUN (&(const ConfFile){ CONF_PLACE_RUN, &jobs, "edge", NULL })
#define RUN_DROP_IN (&(const ConfFile){ CONF_PLACE_RUN, &jobs, "edge", "51-x.conf" })

static const char *in(const char *root, const char *path) {
        static char paths[4][300];
        static unsigned next;
        char *p = paths[next++ % 4];

        snprintf(p, sizeof(paths[0]), "%s/%s", root, path);
        return p;
}

static void make(const char *root, const char *path) {
        assert_int_equal(mkdir(in(root, path), 0755), 0);
}

static int setup(void **state) {
        if (setup_scratch(state) < 0)
                return -1;
        make(*state, "etc");
        make(*state, "etc/pullauth");
        make(*state, "etc/pullauth/jobs");
        make(*state, "run");
        make(*state, "run/pullauth");
        return 0;
}

static void assert_reads(const char *root, const ConfFile *f, const char *expected) {
        _cleanup_free_ char *text = NULL;
        struct stat st;

        assert_int_equal(conf_file_read(root, f, &text, &st), 1);
        assert_string_equal(text, expected);
        assert_int_equal(st.st_mode & 07777, 0644);
}

static unsigned count_entries(const char *root, const char *path) {
        _cleanup_strv_ char **names = NULL;
        char command[400];
        unsigned n = 0;
        FILE *p;

        snprintf(command, sizeof(command), "ls -A %s | wc -l", in(root, path));
        p = popen(command, "re");
        assert_non_null(p);
        assert_int_equal(fscanf(p, "%u", &n), 1);
        pclose(p);
        return n;
}

static void paths_are_those_that_are_read(void **state) {
        _cleanup_free_ char *main = NULL, *drop_in = NULL;

        assert_ok(conf_file_path("/r", RUN, &main));
        assert_string_equal(main, "/r/run/pullauth/jobs/edge.job");
        assert_ok(conf_file_path("", DROP_IN, &drop_in));
        assert_string_equal(drop_in, "/etc/pullauth/jobs/edge.job.d/50-bus.conf");
}

static void a_new_file_takes_no_others_place(void **state) {
        mode_t mask = umask(0077);

        assert_int_equal(conf_file_look(*state, MAIN), 0);
        assert_ok(conf_file_write(*state, MAIN, "[Job]\n", &nothing));
        umask(mask);
        assert_int_equal(conf_file_look(*state, MAIN), 1);
        assert_reads(*state, MAIN, "[Job]\n");
        assert_int_equal(conf_file_write(*state, MAIN, "[Other]\n", &nothing), -EAGAIN);
        assert_reads(*state, MAIN, "[Job]\n");
        assert_int_equal(count_entries(*state, "etc/pullauth/jobs"), 1);
}

static void a_file_that_changed_meanwhile_stays(void **state) {
        _cleanup_free_ char *text = NULL, *again = NULL;
        struct stat st, later;

        assert_ok(conf_file_write(*state, MAIN, "1", &nothing));
        assert_int_equal(conf_file_read(*state, MAIN, &text, &st), 1);
        assert_ok(conf_file_write(*state, MAIN, "2", &st));
        assert_reads(*state, MAIN, "2");
        assert_int_equal(conf_file_read(*state, MAIN, &again, &later), 1);
        write_file(*state, "etc/pullauth/jobs/edge.job", "of an editor");
        assert_int_equal(conf_file_write(*state, MAIN, "3", &later), -EAGAIN);
        assert_reads(*state, MAIN, "of an editor");
}

static void drop_ins_have_a_directory_while_there_are_any(void **state) {
        _cleanup_strv_ char **names = NULL, **none = NULL;
        mode_t mask = umask(0077);
        struct stat st;

        assert_ok(conf_file_list_drop_ins(*state, DROP_IN, &none));
        assert_null(none);
        assert_ok(conf_file_write(*state, DROP_IN, "x", &nothing));
        umask(mask);
        assert_reads(*state, DROP_IN, "x");
        assert_int_equal(stat(in(*state, "etc/pullauth/jobs/edge.job.d"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        write_file(*state, "etc/pullauth/jobs/edge.job.d/10-a.conf", "y");
        write_file(*state, "etc/pullauth/jobs/edge.job.d/README", "z");
        assert_ok(conf_file_list_drop_ins(*state, MAIN, &names));
        assert_int_equal(strv_length(names), 2);
        assert_string_equal(names[0], "10-a.conf");
        assert_int_equal(conf_file_remove(*state, DROP_IN), 1);
        assert_int_equal(conf_file_remove(*state, DROP_IN), 0);
        assert_int_equal(count_entries(*state, "etc/pullauth/jobs/edge.job.d"), 2);
        assert_int_equal(unlink(in(*state, "etc/pullauth/jobs/edge.job.d/README")), 0);
        assert_int_equal(
                conf_file_remove(*state, &(const ConfFile){ CONF_PLACE_ETC, &jobs, "edge", "10-a.conf" }),
                1);
        assert_int_equal(count_entries(*state, "etc/pullauth/jobs"), 0);
}

static void what_lies_in_run_makes_its_place(void **state) {
        assert_ok(conf_file_write(*state, RUN_DROP_IN, "x", &nothing));
        assert_reads(*state, RUN_DROP_IN, "x");
        assert_ok(conf_file_write(*state, RUN, "y", &nothing));
        assert_reads(*state, RUN, "y");
}

static void what_is_no_file_is_left_alone(void **state) {
        static const char *const ways[] = { "link", "mask", "directory", "fifo" };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                const char *path = in(*state, "etc/pullauth/jobs/edge.job");
                char *text = NULL;
                struct stat st, before, after;

                write_file(*state, "elsewhere", "[Job]\n");
                if (i == 0)
                        assert_int_equal(symlink(in(*state, "elsewhere"), path), 0);
                else if (i == 1)
                        assert_int_equal(symlink("/dev/null", path), 0);
                else if (i == 2)
                        assert_int_equal(mkdir(path, 0755), 0);
                else
                        assert_int_equal(mkfifo(path, 0644), 0);
                assert_int_equal(lstat(path, &before), 0);
                assert_int_equal(conf_file_look(*state, MAIN), -EMEDIUMTYPE);
                assert_int_equal(conf_file_read(*state, MAIN, &text, &st), -EMEDIUMTYPE);
                assert_int_equal(conf_file_write(*state, MAIN, "x", &nothing), -EAGAIN);
                assert_int_equal(conf_file_remove(*state, MAIN), -EMEDIUMTYPE);
                assert_int_equal(lstat(path, &after), 0);
                assert_int_equal(before.st_ino, after.st_ino);
                assert_int_equal(remove(path), 0);
        }
}

static void directories_behind_links_are_not_written_to(void **state) {
        _cleanup_strv_ char **names = NULL;

        make(*state, "elsewhere");
        assert_int_equal(symlink(in(*state, "elsewhere"), in(*state, "etc/pullauth/jobs/edge.job.d")), 0);
        assert_int_equal(conf_file_write(*state, DROP_IN, "x", &nothing), -EMEDIUMTYPE);
        assert_int_equal(conf_file_list_drop_ins(*state, DROP_IN, &names), -EMEDIUMTYPE);
        write_file(*state, "elsewhere/50-bus.conf", "x");
        assert_int_equal(conf_file_remove(*state, DROP_IN), -EMEDIUMTYPE);
        assert_int_equal(count_entries(*state, "elsewhere"), 1);
        assert_int_equal(unlink(in(*state, "etc/pullauth/jobs/edge.job.d")), 0);
        make(*state, "etc/pullauth/jobs/edge.job.d");
        assert_int_equal(symlink("/dev/null", in(*state, "etc/pullauth/jobs/edge.job.d/9.conf")), 0);
        assert_int_equal(conf_file_list_drop_ins(*state, DROP_IN, &names), -EMEDIUMTYPE);
}

static void what_cannot_be_written_leaves_nothing_behind(void **state) {
        const struct rlimit none = {};
        struct rlimit before;

        (void) signal(SIGXFSZ, SIG_IGN);
        assert_ok(conf_file_write(*state, MAIN, "1", &nothing));
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ none.rlim_cur, before.rlim_max }), 0);
        assert_int_equal(conf_file_write(*state, DROP_IN, "x", &nothing), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(count_entries(*state, "etc/pullauth/jobs"), 1);
}

static void a_missing_place_is_said(void **state) {
        assert_int_equal(rmdir(in(*state, "etc/pullauth/jobs")), 0);
        assert_int_equal(conf_file_write(*state, MAIN, "x", &nothing), -ENOENT);
        assert_int_equal(conf_file_remove(*state, MAIN), 0);
        assert_int_equal(conf_file_look(*state, MAIN), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_are_those_that_are_read),
                cmocka_unit_test_setup_teardown(a_new_file_takes_no_others_place, setup, teardown_scratch),
                cmocka_unit_test_setup_teardown(a_file_that_changed_meanwhile_stays, setup,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(drop_ins_have_a_directory_while_there_are_any, setup,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(what_lies_in_run_makes_its_place, setup, teardown_scratch),
                cmocka_unit_test_setup_teardown(what_is_no_file_is_left_alone, setup, teardown_scratch),
                cmocka_unit_test_setup_teardown(directories_behind_links_are_not_written_to, setup,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_nothing_behind, setup,
                                                teardown_scratch),
                cmocka_unit_test_setup_teardown(a_missing_place_is_said, setup, teardown_scratch),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
