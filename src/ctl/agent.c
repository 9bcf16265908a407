/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs pkttyagent(1) beside us while polkit may have a question.
 *
 * Owns that process: it ends with us, whatever becomes of us, and we wait for its end because it restores
 * the terminal. The password goes from the terminal through the agent to polkit and is never seen here. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/agent.h"

#define PROGRAM "/usr/bin/pkttyagent"
#define REGISTER_TIMEOUT_MSEC 5000

struct Agent {
        pid_t pid;
};

/* In the child. `notify_fd` is closed by the agent when it is registered. */
static void run_agent(pid_t parent, int notify_fd) {
        _cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        _cleanup_free_ char *number = NULL;
        sigset_t none;

        /* It talks on the terminal itself; what it says besides is said better by whoever needed it. */
        if (null_fd < 0 || dup2(null_fd, STDOUT_FILENO) < 0 || dup2(null_fd, STDERR_FILENO) < 0)
                return;
        sigemptyset(&none);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                return;
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        if (fcntl(notify_fd, F_SETFD, 0) < 0 || text_format(&number, "%d", notify_fd) < 0)
                return;
        /* An agent of the session, if there is one, goes first. Without a session polkit would never come to
         * a fallback. */
        (void) execl(PROGRAM, PROGRAM, "--notify-fd", number,
                     sd_pid_get_session(0, NULL) >= 0 ? "--fallback" : (char *) NULL, (char *) NULL);
}

int agent_start(Agent **ret) {
        _cleanup_(agent_freep) Agent *a = NULL;
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        pid_t self = getpid();
        int fds[2];

        if (geteuid() == 0 || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || access(PROGRAM, X_OK) < 0)
                return 0;
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];
        a->pid = fork();
        if (a->pid < 0)
                return -errno;
        if (a->pid == 0) {
                run_agent(self, write_fd);
                _exit(EXIT_FAILURE);
        }
        closep(&write_fd);
        write_fd = -EBADF;
        /* The end of the pipe: registered, or dead. */
        (void) poll(&(struct pollfd){ .fd = read_fd, .events = POLLIN }, 1, REGISTER_TIMEOUT_MSEC);
        *ret = TAKE_PTR(a);
        return 1;
}

Agent *agent_free(Agent *a) {
        siginfo_t info = {};

        if (!a)
                return NULL;
        if (a->pid > 0) {
                (void) kill(a->pid, SIGTERM);
                (void) kill(a->pid, SIGCONT);
                (void) waitid(P_PID, (id_t) a->pid, &info, WEXITED);
        }
        free(a);
        return NULL;
}
