/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Running a piece of a test in a process of its own, in which system calls fail or kill on order
 * (seccomp(2)). */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "unit.h"

typedef int (*ChildFunction)(void *argument);

/* Returns the wait status; the child exits with what `f` returned, without handlers and output of the
 * parent's. */
static inline int in_child(ChildFunction f, void *argument) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(f(argument) & 0xff);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static inline int exit_of_child(ChildFunction f, void *argument) {
        int status = in_child(f, argument);

        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* From here on the system call `number` does as `action` (SECCOMP_RET_…) says. With `first` not negative
 * only calls whose first argument equals it are meant. No way back. */
static inline int inject(long number, uint32_t action, int first) {
        struct sock_filter any[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) number, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) first, 0, first < 0 ? 0 : 1),
                BPF_STMT(BPF_RET | BPF_K, action),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { ELEMENTSOF(any), any };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return -errno;
        return 0;
}

static inline int inject_errno(long number, int error) {
        return inject(number, SECCOMP_RET_ERRNO | (uint32_t) error, -1);
}
