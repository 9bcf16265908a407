/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A guarded process leaves no core and shows its memory to nobody, and can still use its own descriptors
 * by path. */

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/process-guard.h"
#include "child.h"

#define STRANGER 4242

static int look_at_limits(void *argument) {
        struct rlimit limit = { 1, 1 };

        if (process_guard() < 0)
                return 1;
        if (prctl(PR_GET_DUMPABLE) != 0)
                return 2;
        if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
                return 3;
        return process_guard() < 0 ? 4 : 0;
}

static void a_guarded_process_is_not_dumpable(void **state) {
        assert_int_equal(exit_of_child(look_at_limits, NULL), 0);
}

static int end_by_signal(void *argument) {
        struct rlimit limit;

        /* As generous as it may be, so that only the guard can prevent the core. */
        if (chdir(argument) < 0 || getrlimit(RLIMIT_CORE, &limit) < 0)
                return 1;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_CORE, &limit) < 0 || process_guard() < 0)
                return 2;
        signal(SIGABRT, SIG_DFL);
        kill(getpid(), SIGABRT);
        return 3;
}

static void a_guarded_process_that_crashes_leaves_no_core(void **state) {
        int status = in_child(end_by_signal, *state);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_false(WCOREDUMP(status));
}

/* As the worker reads CA certificates: a memory file opened by its path, without any privilege. */
static int open_own_descriptor(void *argument) {
        char path[64], content[4] = {};
        int fd, again;

        if (geteuid() == 0 && setresuid(STRANGER, STRANGER, STRANGER) < 0)
                return 1;
        if (process_guard() < 0)
                return 2;
        fd = memfd_create("ca", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0 || write(fd, "abc", 3) != 3 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return 3;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDONLY | O_CLOEXEC);
        if (again < 0)
                return 4;
        return read(again, content, sizeof(content)) == 3 && memcmp(content, "abc", 3) == 0 ? 0 : 5;
}

static void a_guarded_process_opens_its_descriptors_by_path(void **state) {
        assert_int_equal(exit_of_child(open_own_descriptor, NULL), 0);
}

static int wait_to_be_looked_at(int ready) {
        if (setresuid(STRANGER, STRANGER, STRANGER) < 0 || process_guard() < 0 || write(ready, "x", 1) != 1)
                return 1;
        for (;;)
                pause();
}

static int open_memory_of(void *argument) {
        char path[64];
        int fd;

        if (setresuid(STRANGER, STRANGER, STRANGER) < 0)
                return 100;
        snprintf(path, sizeof(path), "/proc/%d/mem", *(pid_t *) argument);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? errno : 0;
}

static void others_of_the_same_user_cannot_read_a_guarded_process(void **state) {
        int ends[2], status;
        char byte;
        pid_t pid;

        if (geteuid() != 0)
                skip(); /* needs a user for both that is not the one of this test */
        assert_int_equal(pipe(ends), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(wait_to_be_looked_at(ends[1]));
        close(ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        status = exit_of_child(open_memory_of, &pid);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(ends[0]);
        assert_int_equal(status, EACCES);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_guarded_process_is_not_dumpable),
                cmocka_unit_test_setup_teardown(a_guarded_process_that_crashes_leaves_no_core, setup_scratch,
                                                teardown_scratch),
                cmocka_unit_test(a_guarded_process_opens_its_descriptors_by_path),
                cmocka_unit_test(others_of_the_same_user_cannot_read_a_guarded_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
