/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starting what the user chose to see or edit text with.
 *
 * No shell is involved. The program gets default signals, and of our descriptors only the standard ones:
 * all others are closed at exec. */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "ctl/program.h"

static bool is_same_variable(const char *a, const char *b) {
        size_t n = strcspn(a, "="), m = strcspn(b, "=");

        return n == m && strncmp(a, b, n) == 0;
}

/* Ours, with the changes. */
static int make_environment(char *const *changes, char ***ret) {
        _cleanup_strv_ char **l = NULL;
        int r = 0;

        for (char **e = environ; *e && r >= 0; e++) {
                bool changed = false;

                STRV_FOREACH(c, changes)
                        changed = changed || is_same_variable(*c, *e);
                if (!changed)
                        r = strv_append(&l, *e);
        }
        for (size_t i = 0; changes && changes[i] && r >= 0; i++)
                if (strchr(changes[i], '='))
                        r = strv_append(&l, changes[i]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

static int set_signals(posix_spawnattr_t *attributes) {
        sigset_t none, defaults;
        int r;

        sigemptyset(&none);
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        sigaddset(&defaults, SIGINT);
        r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &defaults);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        return -r;
}

int program_start(const Program *p, pid_t *ret_pid) {
        _cleanup_strv_ char **environment = NULL;
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        if (!p->words || !p->words[0])
                return -ENOENT;
        r = make_environment(p->environment, &environment);
        if (r < 0)
                return r;
        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = -set_signals(&attributes);
                if (r == 0 && p->input_fd >= 0)
                        r = posix_spawn_file_actions_adddup2(&actions, p->input_fd, STDIN_FILENO);
                if (r == 0)
                        r = posix_spawnp(ret_pid, p->words[0], &actions, &attributes, p->words, environment);
                (void) posix_spawnattr_destroy(&attributes);
        }
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int program_wait(pid_t pid) {
        struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
        siginfo_t info = {};
        int r;

        (void) sigaction(SIGINT, &ignore, &before);
        do
                r = waitid(P_PID, (id_t) pid, &info, WEXITED) < 0 ? -errno : 0;
        while (r == -EINTR);
        (void) sigaction(SIGINT, &before, NULL);
        if (r < 0)
                return r;
        return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
