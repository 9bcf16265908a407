/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs on the user's terminal, in the foreground: pager, editor. */

#include <sys/types.h>

#include "base/macro.h"

typedef struct Program {
        char *const *words;       /* the first is looked up in $PATH, as a shell does */
        char *const *environment; /* "KEY=VALUE" sets, "KEY" unsets, all else is as here; may be NULL */
        int input_fd;             /* standard input, or -EBADF for ours */
} Program;

/* Returns 0, -ENOENT and other errors where it cannot be started. */
int program_start(const Program *p, pid_t *ret_pid);
/* Waits for its end, while ^C is for the program and not for us. Returns its exit status, 128 and more for
 * a signal, or a negative errno. */
int program_wait(pid_t pid);
