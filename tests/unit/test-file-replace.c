/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replacing a file: content, owner and mode, readers beside the writer, and what a sweep takes. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "child.h"
#include "replace-fixture.h"

#define STRANGER 4242

/* What another program does just before each exchange: the content that it puts there, NULL for nothing,
 * "" to remove the file. The list ends with "end". */
static const char *const *next_of_others = (const char *const[]){ "end" };

/* In the place of libc's. */
int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        const char *content = *next_of_others;

        if (content && streq(content, ""))
                assert_int_equal(unlinkat(to_fd, to, 0), 0);
        else if (content && !streq(content, "end")) {
                int fd = openat(to_fd, "other", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

                assert_int_equal(write(fd, content, strlen(content)), strlen(content));
                assert_int_equal(close(fd), 0);
                assert_int_equal(renameat(to_fd, "other", to_fd, to), 0);
        }
        if (!content || !streq(content, "end"))
                next_of_others++;
        return (int) syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static void a_file_that_was_not_there_gets_exactly_the_given_mode(void **state) {
        static const mode_t modes[] = { 0600, 0640, 0644, 0666, 0777, 0400, 0 };
        Fixture *f = *state;

        for (size_t i = 0; i < 2 * ELEMENTSOF(modes); i++) {
                FileReplace r = request(f, NEW, i % 3 ? FILE_REPLACE_SYNC : 0);
                mode_t before = umask(i % 2 ? 0777 : 0);
                struct stat st;

                r.mode = modes[i / 2];
                assert_int_equal(file_replace(&r), 0);
                umask(before);
                st = look_at(f, NAME);
                assert_int_equal(st.st_mode, S_IFREG | modes[i / 2]);
                assert_int_equal(st.st_uid, geteuid());
                assert_int_equal(st.st_size, strlen(NEW));
                assert_int_equal(count_temporaries(f, NULL), 0);
        }
}

static void an_empty_and_a_large_content_are_written_whole(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *large = calloc(1, 700001);

        for (size_t i = 0; i < 700000; i++)
                large[i] = (char) ('a' + i % 23);
        for (unsigned i = 0; i < 3; i++) {
                FileReplace r = request(f, i == 1 ? large : "", FILE_REPLACE_SYNC);

                assert_int_equal(file_replace(&r), 0);
                assert_true(content_is(f->dir_fd, NAME, i == 1 ? large : ""));
        }
}

static void a_new_file_gets_the_given_owner(void **state) {
        Fixture *f = *state;
        FileReplace r = request(f, NEW, 0);
        struct stat st;

        if (geteuid() != 0)
                skip(); /* only root gives files away */
        r.uid = STRANGER;
        r.mode = 0640;
        assert_int_equal(file_replace(&r), 0);
        st = look_at(f, NAME);
        assert_int_equal(st.st_uid, STRANGER);
        assert_int_equal(st.st_gid, getegid());
        r.gid = STRANGER + 1;
        r.uid = (uid_t) -1;
        assert_int_equal(file_replace(&r), 0);
        st = look_at(f, NAME);
        assert_int_equal(st.st_uid, geteuid());
        assert_int_equal(st.st_gid, STRANGER + 1);
        assert_int_equal(st.st_mode & 07777, 0640);
}

static void owner_and_mode_of_the_old_file_are_kept_on_request(void **state) {
        static const mode_t modes[] = { 0600, 0644, 0660, 06755, 0400, 0 };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                FileReplace r = request(f, i % 2 ? NEW : OLD, FILE_REPLACE_KEEP | FILE_REPLACE_SYNC);
                _cleanup_close_ int old_fd = -EBADF;
                struct stat before, after;

                (void) unlinkat(f->dir_fd, NAME, 0);
                write_file(f->directory, NAME, "x");
                r.old_fd = old_fd = openat(f->dir_fd, NAME, O_RDONLY | O_CLOEXEC);
                if (geteuid() == 0)
                        assert_int_equal(fchown(old_fd, STRANGER, STRANGER + 1), 0);
                assert_int_equal(fchmod(old_fd, modes[i]), 0);
                before = look_at(f, NAME);
                r.mode = 0666;
                r.uid = r.gid = 7;
                assert_int_equal(file_replace(&r), 0);
                after = look_at(f, NAME);
                assert_int_equal(after.st_mode, before.st_mode);
                assert_int_equal(after.st_uid, before.st_uid);
                assert_int_equal(after.st_gid, before.st_gid);
                assert_true(after.st_ino != before.st_ino);
        }
}

static void without_the_request_the_old_file_decides_nothing(void **state) {
        Fixture *f = *state;
        FileReplace r = request(f, NEW, 0);
        _cleanup_close_ int old_fd = -EBADF;

        write_file(f->directory, NAME, OLD); /* 0644 */
        r.old_fd = old_fd = openat(f->dir_fd, NAME, O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_replace(&r), 0);
        assert_int_equal(look_at(f, NAME).st_mode & 07777, 0600);
}

static void names_with_a_slash_and_no_names_are_refused(void **state) {
        static const char *const names[] = { "", ".", "..", "a/b", "/a", "a/" };
        Fixture *f = *state;
        FileReplace r = request(f, NEW, 0);

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r.name = names[i];
                assert_int_equal(file_replace(&r), -EINVAL);
                assert_int_equal(file_replace_sweep(f->dir_fd, names[i]), -EINVAL);
        }
}

static void what_is_no_file_is_not_replaced(void **state) {
        Fixture *f = *state;
        FileReplace r = request(f, NEW, 0);
        char name[256] = {};

        assert_int_equal(mkdirat(f->dir_fd, NAME, 0700), 0);
        assert_int_equal(file_replace(&r), -EISDIR);
        for (size_t i = 0; i < sizeof(name) - 1; i++)
                name[i] = 'x';
        r.name = name;
        assert_int_equal(file_replace(&r), -ENAMETOOLONG);
        assert_int_equal(count_temporaries(f, NULL), 0);
}

static void a_link_is_replaced_and_not_written_through(void **state) {
        Fixture *f = *state;
        FileReplace r = request(f, NEW, 0);

        write_file(f->directory, "elsewhere", OLD);
        assert_int_equal(symlinkat("elsewhere", f->dir_fd, NAME), 0);
        assert_int_equal(file_replace(&r), 0);
        assert_true(content_is(f->dir_fd, "elsewhere", OLD));
        assert_true(S_ISREG(look_at(f, NAME).st_mode));
}

static int replace_as_stranger(void *argument) {
        const Fixture *f = argument;
        FileReplace r = request(f, NEW, FILE_REPLACE_KEEP);

        r.old_fd = openat(f->dir_fd, NAME, O_RDONLY | O_CLOEXEC);
        if (r.old_fd < 0 || setegid(STRANGER) < 0 || seteuid(STRANGER) < 0)
                return 255;
        return -file_replace(&r);
}

static void an_owner_that_cannot_be_kept_ends_the_attempt(void **state) {
        const Fixture *f = *state;

        if (geteuid() != 0)
                skip(); /* needs a file of another owner */
        write_file(f->directory, NAME, OLD);
        assert_int_equal(exit_of_child(replace_as_stranger, (void *) f), EACCES);
        assert_int_equal(fchown(f->dir_fd, STRANGER, STRANGER), 0);
        assert_int_equal(exit_of_child(replace_as_stranger, (void *) f), EPERM);
        assert_true(content_is(f->dir_fd, NAME, OLD));
        assert_int_equal(look_at(f, NAME).st_uid, 0);
        assert_int_equal(count_temporaries(f, NULL), 0);
}

static int read_all_the_time(void *argument) {
        const Fixture *f = argument;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (faccessat(f->dir_fd, "stop", F_OK, 0) < 0) {
                _cleanup_secret_ Secret *s = NULL;
                const char *text;

                if (file_read(f->dir_fd, NAME, 1 << 20, 0, &s, NULL) < 0)
                        return 1;
                text = secret_peek(s).iov_base;
                if (!streq(text, OLD) && !streq(text, NEW))
                        return 2;
        }
        return 0;
}

static void readers_beside_a_writer_never_see_anything_else(void **state) {
        const Fixture *f = *state;
        int status;
        pid_t pid;

        write_file(f->directory, NAME, OLD);
        pid = fork();
        if (pid == 0)
                _exit(read_all_the_time((void *) f));
        for (unsigned i = 0; i < 2000; i++) {
                FileReplace r = request(f, i % 2 ? OLD : NEW, 0);

                assert_int_equal(file_replace(&r), 0);
        }
        write_file(f->directory, "stop", "");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void the_sweep_takes_regular_files_of_exactly_our_form(void **state) {
        static const char *const ours[] = { ".pullauth-" NAME ".0123456789abcdef",
                                            ".pullauth-" NAME ".ffffffffffffffff" };
        static const char *const others[] = {
                NAME,
                "pullauth-" NAME ".0123456789abcdef",
                ".pullauth-" NAME,
                ".pullauth-" NAME ".",
                ".pullauth-" NAME ".0123456789abcde",
                ".pullauth-" NAME ".0123456789abcdef0",
                ".pullauth-" NAME ".0123456789ABCDEF",
                ".pullauth-" NAME ".0123456789abcdeg",
                ".pullauth-" NAME ".bak.0123456789abcdef",
                ".pullauth-" NAME ".0123456789abcdef.0123456789abcdef",
                ".pullauth-" NAME "-0123456789abcdef",
                ".pullauth-other.0123456789abcdef",
                ".pullauth-x" NAME ".0123456789abcdef",
        };
        const Fixture *f = *state;

        assert_int_equal(file_replace_sweep(f->dir_fd, NAME), 0);
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                write_file(f->directory, ours[i], "x");
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                write_file(f->directory, others[i], "x");
        assert_int_equal(mkdirat(f->dir_fd, ".pullauth-" NAME ".000000000000000d", 0700), 0);
        assert_int_equal(symlinkat(NAME, f->dir_fd, ".pullauth-" NAME ".0000000000000001"), 0);
        assert_int_equal(mkfifoat(f->dir_fd, ".pullauth-" NAME ".000000000000000f", 0600), 0);

        assert_int_equal(file_replace_sweep(f->dir_fd, NAME), ELEMENTSOF(ours));
        assert_int_equal(file_replace_sweep(f->dir_fd, NAME), 0);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                (void) look_at(f, others[i]);
        (void) look_at(f, ".pullauth-" NAME ".000000000000000d");
        (void) look_at(f, ".pullauth-" NAME ".0000000000000001");
        (void) look_at(f, ".pullauth-" NAME ".000000000000000f");
}

static void each_change_of_content_shows_in_the_status(void **state) {
        const Fixture *f = *state;
        struct stat a, b, changed;

        write_file(f->directory, NAME, OLD);
        a = b = look_at(f, NAME);
        assert_true(stat_same_content(&a, &b));
        for (unsigned i = 0; i < 7; i++) {
                changed = a;
                if (i == 0)
                        changed.st_dev++;
                if (i == 1)
                        changed.st_ino++;
                if (i == 2)
                        changed.st_size++;
                if (i == 3)
                        changed.st_mtim.tv_sec++;
                if (i == 4)
                        changed.st_mtim.tv_nsec ^= 1;
                if (i == 5)
                        changed.st_ctim.tv_sec++;
                if (i == 6)
                        changed.st_ctim.tv_nsec ^= 1;
                assert_false(stat_same_content(&a, &changed));
        }
}

/* Returns what file_replace() does while others write. */
static int replace_beside(const Fixture *f, const char *const *list) {
        FileReplace r = request(f, NEW, 0);
        struct stat expected;
        int k;

        write_file(f->directory, NAME, OLD);
        expected = look_at(f, NAME);
        r.expected = &expected;
        next_of_others = list;
        k = file_replace(&r);
        assert_string_equal(*next_of_others, "end");
        assert_int_equal(count_temporaries(f, NULL), 0);
        return k;
}

static void what_others_wrote_last_stands_whenever_they_did(void **state) {
        const Fixture *f = *state;

        assert_int_equal(replace_beside(f, (const char *const[]){ NULL, "end" }), 0);
        assert_true(content_is(f->dir_fd, NAME, NEW));
        assert_int_equal(replace_beside(f, (const char *const[]){ "one", NULL, "end" }), -EAGAIN);
        assert_true(content_is(f->dir_fd, NAME, "one"));
        assert_int_equal(replace_beside(f, (const char *const[]){ "one", "two", NULL, "end" }), -EAGAIN);
        assert_true(content_is(f->dir_fd, NAME, "two"));
        assert_int_equal(replace_beside(f, (const char *const[]){ "1", "2", "3", NULL, "end" }), -EAGAIN);
        assert_true(content_is(f->dir_fd, NAME, "3"));
}

static void what_others_removed_last_stays_removed(void **state) {
        const Fixture *f = *state;

        assert_int_equal(replace_beside(f, (const char *const[]){ "", "end" }), -EAGAIN);
        assert_int_equal(faccessat(f->dir_fd, NAME, F_OK, 0), -1);
        assert_int_equal(replace_beside(f, (const char *const[]){ "one", "", "end" }), -EAGAIN);
        assert_int_equal(faccessat(f->dir_fd, NAME, F_OK, 0), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                in_scratch(a_file_that_was_not_there_gets_exactly_the_given_mode),
                in_scratch(an_empty_and_a_large_content_are_written_whole),
                in_scratch(a_new_file_gets_the_given_owner),
                in_scratch(owner_and_mode_of_the_old_file_are_kept_on_request),
                in_scratch(without_the_request_the_old_file_decides_nothing),
                in_scratch(names_with_a_slash_and_no_names_are_refused),
                in_scratch(what_is_no_file_is_not_replaced),
                in_scratch(a_link_is_replaced_and_not_written_through),
                in_scratch(an_owner_that_cannot_be_kept_ends_the_attempt),
                in_scratch(readers_beside_a_writer_never_see_anything_else),
                in_scratch(the_sweep_takes_regular_files_of_exactly_our_form),
                in_scratch(each_change_of_content_shows_in_the_status),
                in_scratch(what_others_wrote_last_stands_whenever_they_did),
                in_scratch(what_others_removed_last_stays_removed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
