/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replacing a file when system calls fail, and when the writer is killed at one of them: the old file
 * stands, or the new one, and nothing beside it that a sweep would not take. */

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "child.h"
#include "replace-fixture.h"

#define STRANGER 4242

#define ANY -1
#define TEMPORARY -2 /* the descriptor of the temporary file */

typedef struct Fault {
        const Fixture *f;
        long number;     /* of the system call */
        uint32_t action; /* SECCOMP_RET_… */
        int first;       /* its first argument, ANY or TEMPORARY */
} Fault;

/* Owner, attributes and mode all differ from those of a fresh file, so that each call takes place. */
static void make_old_file(const Fixture *f) {
        char path[256];

        write_file(f->directory, NAME, OLD);
        if (geteuid() == 0)
                assert_int_equal(fchownat(f->dir_fd, NAME, STRANGER, STRANGER, 0), 0);
        snprintf(path, sizeof(path), "%s/" NAME, f->directory);
        assert_int_equal(setxattr(path, "user.note", "x", 1, 0), 0);
}

static int replace_with_fault(void *argument) {
        const Fault *fault = argument;
        FileReplace r = request(fault->f, NEW, FILE_REPLACE_KEEP | FILE_REPLACE_SYNC);
        int k, next;

        r.old_fd = openat(fault->f->dir_fd, NAME, O_RDONLY | O_CLOEXEC);
        /* The next file to be opened gets the lowest free number. */
        next = dup(r.old_fd);
        if (r.old_fd < 0 || close(next) < 0 ||
            inject(fault->number, fault->action, fault->first == TEMPORARY ? next : fault->first) < 0)
                return 255;
        k = file_replace(&r);
        return k > 0 ? 254 : -k;
}

#ifdef SYS_renameat
#define RENAME SYS_renameat
#else
#define RENAME SYS_renameat2
#endif

/* Writing and closing is what valgrind does all the time as well. */
static const struct {
        long number;
        int first;
        int error;
} steps[] = {
        { SYS_getrandom, ANY, EIO },    { SYS_write, TEMPORARY, ENOSPC }, { SYS_write, TEMPORARY, EDQUOT },
        { SYS_write, TEMPORARY, EIO },  { SYS_fchown, ANY, EPERM },       { SYS_flistxattr, ANY, EACCES },
        { SYS_fsetxattr, ANY, ENOSPC }, { SYS_fsetxattr, ANY, EACCES },   { SYS_fremovexattr, ANY, EIO },
        { SYS_fchmod, ANY, EPERM },     { SYS_fsync, ANY, EIO },          { SYS_close, TEMPORARY, EDQUOT },
        { RENAME, ANY, EROFS },
};

/* Nobody but root could make an old file whose owner has to be carried over. */
static bool does_happen(long number) {
        return number != SYS_fchown || geteuid() == 0;
}

static void any_failing_call_leaves_the_old_file_and_nothing_else(void **state) {
        const Fixture *f = *state;

        make_old_file(f);
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                Fault fault = { f, steps[i].number, SECCOMP_RET_ERRNO | (uint32_t) steps[i].error,
                                steps[i].first };
                struct stat before = look_at(f, NAME), after;

                if (!does_happen(steps[i].number))
                        continue;
                if (exit_of_child(replace_with_fault, &fault) != steps[i].error)
                        fail_msg("step %zu did not give error %d", i, steps[i].error);
                after = look_at(f, NAME);
                assert_true(stat_same_content(&before, &after));
                assert_true(content_is(f->dir_fd, NAME, OLD));
                assert_int_equal(count_temporaries(f, NULL), 0);
        }
}

static void a_directory_that_cannot_be_synced_is_an_error_but_the_file_is_there(void **state) {
        const Fixture *f = *state;
        Fault fault = { f, SYS_fsync, SECCOMP_RET_ERRNO | EIO, f->dir_fd };

        make_old_file(f);
        assert_int_equal(exit_of_child(replace_with_fault, &fault), EIO);
        assert_true(content_is(f->dir_fd, NAME, NEW));
        assert_int_equal(count_temporaries(f, NULL), 0);
        fault.action = SECCOMP_RET_ERRNO | EINVAL;
        assert_int_equal(exit_of_child(replace_with_fault, &fault), 0);
}

static void a_writer_killed_at_any_call_leaves_a_whole_file_and_what_the_sweep_removes(void **state) {
        const Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                Fault fault = { f, steps[i].number, SECCOMP_RET_KILL_PROCESS, steps[i].first };
                mode_t mode = 0600;
                int status, left;

                if (!does_happen(steps[i].number))
                        continue;
                make_old_file(f);
                status = in_child(replace_with_fault, &fault);
                assert_true(WIFSIGNALED(status));
                assert_true(content_is(f->dir_fd, NAME, OLD));
                left = (int) count_temporaries(f, &mode);
                assert_int_equal(left, steps[i].number == SYS_getrandom ? 0 : 1);
                /* Until its owner is right nobody else could read it. */
                if (steps[i].number == SYS_write || steps[i].number == SYS_fchown ||
                    steps[i].number == SYS_fchmod)
                        assert_int_equal(mode, 0600);
                assert_int_equal(file_replace_sweep(f->dir_fd, NAME), left);
                assert_int_equal(count_temporaries(f, NULL), 0);
        }
}

static void a_writer_killed_after_the_rename_leaves_the_new_file_alone(void **state) {
        const Fixture *f = *state;
        Fault fault = { f, SYS_fsync, SECCOMP_RET_KILL_PROCESS, f->dir_fd };

        make_old_file(f);
        assert_true(WIFSIGNALED(in_child(replace_with_fault, &fault)));
        assert_true(content_is(f->dir_fd, NAME, NEW));
        assert_int_equal(count_temporaries(f, NULL), 0);
}

static int replace_beyond_size_limit(void *argument) {
        FileReplace r = request(argument, NEW, 0);
        const struct rlimit limit = { 5, 5 };

        if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) < 0)
                return 255;
        return -file_replace(&r);
}

static void a_write_that_stops_half_way_is_a_failure(void **state) {
        const Fixture *f = *state;

        write_file(f->directory, NAME, OLD);
        assert_int_equal(exit_of_child(replace_beyond_size_limit, (void *) f), EFBIG);
        assert_true(content_is(f->dir_fd, NAME, OLD));
        assert_int_equal(count_temporaries(f, NULL), 0);
}

static int sweep_with_fault(void *argument) {
        const Fault *fault = argument;

        if (inject(fault->number, fault->action, fault->first) < 0)
                return 255;
        return -file_replace_sweep(fault->f->dir_fd, NAME);
}

static void a_sweep_that_cannot_remove_or_list_says_so(void **state) {
        const Fixture *f = *state;
        Fault fault = { f, SYS_unlinkat, SECCOMP_RET_ERRNO | EROFS, ANY };

        write_file(f->directory, ".pullauth-" NAME ".0123456789abcdef", "x");
        assert_int_equal(exit_of_child(sweep_with_fault, &fault), EROFS);
        fault.action = SECCOMP_RET_ERRNO | ENOENT;
        assert_int_equal(exit_of_child(sweep_with_fault, &fault), 0);
        fault.number = SYS_getdents64;
        fault.action = SECCOMP_RET_ERRNO | EIO;
        assert_int_equal(exit_of_child(sweep_with_fault, &fault), EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                in_scratch(any_failing_call_leaves_the_old_file_and_nothing_else),
                in_scratch(a_directory_that_cannot_be_synced_is_an_error_but_the_file_is_there),
                in_scratch(a_writer_killed_at_any_call_leaves_a_whole_file_and_what_the_sweep_removes),
                in_scratch(a_writer_killed_after_the_rename_leaves_the_new_file_alone),
                in_scratch(a_write_that_stops_half_way_is_a_failure),
                in_scratch(a_sweep_that_cannot_remove_or_list_says_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
