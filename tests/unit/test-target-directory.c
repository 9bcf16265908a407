/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Directories in the home of a user who plays with them. As root the home is that of another user, so that
 * it shows whose what is made is. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/text.h"
#include "daemon/target-directory.h"

#define REST ".config/containers/auth.json"
#define STRANGER 54321

typedef struct Fixture {
        char *root;
        char *path; /* "~USER/…" */
        char home[300];
        uid_t uid;
} Fixture;

static void make_parents(const char *root, const char *path) {
        char full[600];

        assert_in_range(snprintf(full, sizeof(full), "%s%s", root, path), 1, sizeof(full) - 1);
        for (char *slash = full + strlen(root) + 1; slash; *slash++ = '/') {
                slash = strchr(slash, '/');
                if (slash)
                        *slash = '\0';
                assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
                if (!slash)
                        return;
        }
}

static int setup(void **state) {
        const struct passwd *entry = geteuid() == 0 ? getpwnam("daemon") : getpwuid(geteuid());
        Fixture *f = calloc(1, sizeof(*f));

        if (!entry || setup_scratch((void **) &f->root) < 0)
                return -1;
        f->uid = entry->pw_uid;
        snprintf(f->home, sizeof(f->home), "%s%s", f->root, entry->pw_dir);
        if (text_format(&f->path, "~%s/" REST, entry->pw_name) < 0)
                return -1;
        make_parents(f->root, entry->pw_dir);
        *state = f;
        return chown(f->home, entry->pw_uid, entry->pw_gid);
}

static int teardown(void **state) {
        Fixture *f = *state;
        void *root = f->root;

        free(f->path);
        free(f);
        return teardown_scratch(&root);
}

static const char *in_home(const Fixture *f, const char *name) {
        static char path[600];

        snprintf(path, sizeof(path), "%s/%s", f->home, name);
        return path;
}

static int open_it(const Fixture *f, mode_t mode) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        _cleanup_free_ char *component = NULL;
        int r;

        r = target_directory_open(f->root, f->path, mode, &d, &component);
        if (r >= 0) {
                assert_true(d.home);
                assert_int_equal(d.uid, f->uid);
                assert_string_equal(d.name, "auth.json");
                assert_string_equal(d.path, in_home(f, REST));
        }
        return r;
}

static void make(const Fixture *f, const char *name, mode_t mode, uid_t uid) {
        assert_int_equal(mkdir(in_home(f, name), 0700), 0);
        assert_int_equal(chmod(in_home(f, name), mode), 0);
        assert_int_equal(chown(in_home(f, name), uid, (gid_t) -1), 0);
}

static void what_is_missing_is_made_for_the_user_alone(void **state) {
        const Fixture *f = *state;
        struct stat st;

        assert_int_equal(open_it(f, 0), -ENOENT);
        assert_int_equal(access(in_home(f, ".config"), F_OK), -1);
        assert_ok(open_it(f, 0700));
        assert_int_equal(stat(in_home(f, ".config/containers"), &st), 0);
        assert_int_equal(st.st_uid, f->uid);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(stat(in_home(f, ".config"), &st), 0);
        assert_int_equal(st.st_uid, f->uid);
        assert_ok(open_it(f, 0));
}

static void no_link_is_followed(void **state) {
        const Fixture *f = *state;

        assert_int_equal(symlink("/etc", in_home(f, ".config")), 0);
        assert_int_equal(open_it(f, 0700), -ELOOP);
        assert_int_equal(unlink(in_home(f, ".config")), 0);
        make(f, ".config", 0700, f->uid);
        assert_int_equal(symlink("../other", in_home(f, ".config/containers")), 0);
        make(f, "other", 0700, f->uid);
        assert_int_equal(open_it(f, 0700), -ELOOP);
        assert_int_equal(unlink(in_home(f, ".config/containers")), 0);
        assert_int_equal(close(open(in_home(f, ".config/containers"), O_CREAT | O_CLOEXEC, 0600)), 0);
        assert_int_equal(open_it(f, 0700), -ENOTDIR);
}

static void nobody_else_may_have_a_hand_in_it(void **state) {
        const Fixture *f = *state;

        make(f, ".config", 0777, f->uid);
        assert_int_equal(open_it(f, 0700), -EPERM);
        assert_int_equal(access(in_home(f, ".config/containers"), F_OK), -1);
        assert_int_equal(chmod(in_home(f, ".config"), 0755), 0);
        assert_ok(open_it(f, 0700));
        assert_int_equal(chmod(in_home(f, ".config/containers"), 0707), 0);
        assert_int_equal(open_it(f, 0700), -EPERM);
        if (geteuid() != 0)
                return;
        assert_int_equal(chmod(in_home(f, ".config/containers"), 0700), 0);
        assert_int_equal(chown(in_home(f, ".config/containers"), STRANGER, (gid_t) -1), 0);
        assert_int_equal(open_it(f, 0700), -EPERM);
        assert_int_equal(chown(in_home(f, ".config/containers"), 0, (gid_t) -1), 0);
        assert_ok(open_it(f, 0700));
        assert_int_equal(chown(f->home, STRANGER, (gid_t) -1), 0);
        assert_int_equal(open_it(f, 0700), -EPERM);
}

static void the_component_is_named(void **state) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        _cleanup_free_ char *component = NULL;
        const Fixture *f = *state;

        make(f, ".config", 0777, f->uid);
        assert_int_equal(target_directory_open(f->root, f->path, 0700, &d, &component), -EPERM);
        assert_string_equal(component, in_home(f, ".config"));
}

static void users_and_homes_may_be_missing(void **state) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        _cleanup_free_ char *path = NULL, *resolved = NULL;
        const Fixture *f = *state;

        assert_int_equal(target_directory_open(f->root, "~no-such-user/a", 0700, &d, NULL), -ESRCH);
        assert_ok(target_directory_resolve(f->root, "~no-such-user/a", &path));
        assert_string_equal(path, "~no-such-user/a");
        assert_ok(target_directory_resolve(f->root, f->path, &resolved));
        assert_string_equal(resolved, in_home(f, REST));
        assert_int_equal(rmdir(f->home), 0);
        assert_int_equal(open_it(f, 0700), -ENXIO);
}

static void a_path_of_the_system_is_for_root(void **state) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        const Fixture *f = *state;

        assert_int_equal(target_directory_open(f->root, "/etc/x/auth.json", 0, &d, NULL), -ENOENT);
        assert_int_equal(target_directory_open(f->root, "/x/auth.json", 0750, &d, NULL), 0);
        assert_false(d.home);
        assert_string_equal(d.name, "auth.json");
}

/* Returns what reading said; the text has to be "one" then. */
static int read_it(const TargetDirectory *d) {
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st, now;
        int r;

        r = target_directory_read_file(d, 100, &text, &st, &fd);
        if (r < 0)
                return r;
        assert_string_equal(secret_peek(text).iov_base, "one");
        assert_ok(fstat(fd, &now));
        assert_true(stat_same_content(&st, &now));
        assert_ok(target_directory_look(d, &now));
        assert_true(stat_same_content(&st, &now));
        return 0;
}

static void a_file_is_read_if_it_is_one(void **state) {
        const Fixture *f = *state;

        for (unsigned home = 0; home < 2; home++) {
                _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
                struct stat st;

                assert_ok(target_directory_open(f->root, home ? f->path : "/x/auth.json", 0700, &d, NULL));
                assert_int_equal(read_it(&d), -ENOENT);
                assert_int_equal(target_directory_look(&d, &st), -ENOENT);
                assert_int_equal(symlinkat("other", d.fd, d.name), 0);
                write_file(f->root, "other", "two");
                assert_int_equal(read_it(&d), -ELOOP);
                assert_int_equal(unlinkat(d.fd, d.name, 0), 0);
                assert_int_equal(mkdirat(d.fd, d.name, 0700), 0);
                assert_int_equal(read_it(&d), -EISDIR);
                assert_int_equal(unlinkat(d.fd, d.name, AT_REMOVEDIR), 0);
                assert_int_equal(mkfifoat(d.fd, d.name, 0600), 0);
                assert_int_equal(read_it(&d), -EMEDIUMTYPE);
                assert_int_equal(unlinkat(d.fd, d.name, 0), 0);
                write_file(f->root, home ? in_home(f, REST) + strlen(f->root) + 1 : "x/auth.json", "one");
                assert_ok(read_it(&d));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_missing_is_made_for_the_user_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(no_link_is_followed, setup, teardown),
                cmocka_unit_test_setup_teardown(nobody_else_may_have_a_hand_in_it, setup, teardown),
                cmocka_unit_test_setup_teardown(the_component_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(users_and_homes_may_be_missing, setup, teardown),
                cmocka_unit_test_setup_teardown(a_path_of_the_system_is_for_root, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file_is_read_if_it_is_one, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
