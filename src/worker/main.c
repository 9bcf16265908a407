/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pullauth-worker: talks to the world for pullauthd.
 *
 * Started by systemd when pullauthd connects to its socket, serves what comes through that door, and goes
 * when there has been nothing to do for a while, so that whatever a library left in its memory goes with
 * it. Needs no privilege, no file of the host but the trust store, and no configuration. */

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/process-guard.h"
#include "base/scalar.h"
#include "config.h"
#include "worker/door-server.h"
#include "worker/worker-context.h"

#define IDLE_DEFAULT (10 * USEC_PER_SEC)

static usec_t arg_idle = IDLE_DEFAULT;

static const char help_text[] =
        "pullauth-worker [OPTION…]\n"
        "\n"
        "Obtains registry credentials for pullauthd. Started by pullauth-worker.socket.\n"
        "\n"
        "  --idle=SPAN   Exit after having nothing to do for so long (default: 10s; infinity: never)\n"
        "  -h --help     Show this text\n"
        "  --version     Show the version\n"
        "\n"
        "See pullauth-worker(8).\n";

/* Returns 0, 1 if all is said, or a negative errno. */
static int parse_arguments(int argc, char *argv[]) {
        enum {
                ARG_IDLE = 256,
                ARG_VERSION,
        };
        static const struct option options[] = {
                { "idle", required_argument, NULL, ARG_IDLE },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case ARG_IDLE:
                        if (parse_span(optarg, &arg_idle) < 0 || arg_idle == 0)
                                return log_error_errno(EINVAL,
                                                       "--idle=%s is no span of time, write for example "
                                                       "--idle=10s",
                                                       optarg);
                        break;
                case 'h':
                        return write(STDOUT_FILENO, help_text, sizeof(help_text) - 1) < 0 ? -errno : 1;
                case ARG_VERSION:
                        return dprintf(STDOUT_FILENO, "pullauth-worker %s\n", PROJECT_VERSION) < 0 ? -EIO
                                                                                                   : 1;
                default:
                        return -EINVAL;
                }
        if (optind < argc)
                return log_error_errno(EINVAL, "pullauth-worker takes no arguments");
        return 0;
}

static int find_socket(void) {
        int n = sd_listen_fds(/* unset_environment= */ 1);

        if (n < 0)
                return log_error_errno(n, "Cannot read what systemd passed on: %m");
        if (n != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, /* listening= */ 1, NULL, 0) <= 0)
                return log_error_errno(EINVAL, "Expected one listening unix stream socket; start me through "
                                               "pullauth-worker.socket");
        return SD_LISTEN_FDS_START;
}

/* A connection that a peer has closed is an error code, not a signal; the end of a program is an event. */
static int set_up_signals(sd_event *event) {
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        return sd_event_set_signal_exit(event, true);
}

static void context_done(WorkerContext *c) {
        http_pool_free(c->pool);
        processes_free(c->processes);
        sd_event_unref(c->event);
}

static int serve(int listen_fd) {
        _cleanup_(context_done) WorkerContext context = {};
        _cleanup_(door_server_freep) DoorServer *server = NULL;
        int r;

        r = sd_event_new(&context.event);
        if (r >= 0)
                r = set_up_signals(context.event);
        if (r >= 0)
                r = http_global_init(WIPE_HEAP ? HTTP_HEAP_ERASES : HTTP_HEAP_PLAIN);
        if (r >= 0)
                r = http_pool_new(context.event, &context.pool);
        if (r >= 0)
                r = processes_new(context.event, PROCESSES_ADOPT, &context.processes);
        if (r >= 0)
                r = door_server_new(&context, listen_fd, arg_idle, &server);
        if (r < 0)
                return log_error_errno(r, "Cannot start: %m");
        r = sd_event_loop(context.event);
        if (r < 0)
                return log_error_errno(r, "Event loop failed: %m");
        return r;
}

int main(int argc, char *argv[]) {
        int r;

        log_setup();
        r = parse_arguments(argc, argv);
        if (r != 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        /* libcurl's resolver threads would otherwise make heaps of their own. */
        (void) mallopt(M_ARENA_MAX, 1);
        r = process_guard();
        if (r < 0)
                log_warning_errno(r, "Cannot keep other processes from my memory: %m, ignoring");
        r = find_socket();
        if (r >= 0)
                r = serve(r);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
