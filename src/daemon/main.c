/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pullauthd: options, signals, and the wires between manager, bus, service manager and units.
 *
 * Owns the order in which these are made and torn down. Decides nothing about jobs. */

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/process-guard.h"
#include "base/text.h"
#include "config.h"
#include "daemon/bus.h"
#include "daemon/manager-save.h"
#include "daemon/manager.h"
#include "daemon/service.h"
#include "daemon/unit-socket.h"

typedef struct Daemon {
        sd_event *event;
        Manager *manager;
        Service *service;
        Bus *bus;
        UnitSocket *units; /* NULL: the service manager passed no socket on */
} Daemon;

static void on_job_added(Job *j, void *userdata) {
        Daemon *d = userdata;

        bus_job_added(d->bus, j);
        service_changed(d->service);
        unit_socket_changed(d->units);
}

static void on_job_removed(Job *j, void *userdata) {
        Daemon *d = userdata;

        bus_job_removed(d->bus, j);
        service_changed(d->service);
        unit_socket_changed(d->units);
}

static void on_job_changed(Job *j, JobChange what, void *userdata) {
        Daemon *d = userdata;

        bus_job_changed(d->bus, j, what);
        service_changed(d->service);
        unit_socket_changed(d->units);
}

static void on_configuration_changed(void *userdata) {
        Daemon *d = userdata;

        bus_configuration_changed(d->bus);
        service_changed(d->service);
        unit_socket_changed(d->units);
}

static void on_target_written(const TargetConfig *target, void *userdata) {
        Daemon *d = userdata;

        bus_reload_units(d->bus, target->reload_units);
}

static void on_ready(void *userdata) {
        Daemon *d = userdata;

        bus_configuration_changed(d->bus);
        service_manager_ready(d->service);
}

static void on_named(void *userdata) {
        Daemon *d = userdata;

        service_bus_named(d->service);
}

static void on_reload(bool begin, void *userdata) {
        Daemon *d = userdata;

        service_reloading(d->service, begin);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Daemon *d = userdata;

        service_reloading(d->service, /* begin= */ true);
        (void) manager_reload(d->manager);
        service_reloading(d->service, /* begin= */ false);
        return 0;
}

static int open_event(Daemon *d) {
        sigset_t signals;
        int r;

        /* A peer that is gone and a limit on file sizes are error codes of the calls that meet them. */
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGXFSZ, SIG_IGN);
        sigemptyset(&signals);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_default(&d->event);
        if (r >= 0)
                r = sd_event_set_signal_exit(d->event, true);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGHUP, on_hangup, d);
        return r;
}

static void daemon_done(Daemon *d) {
        /* First those that look at the manager, then the manager, which saves its state. */
        unit_socket_free(d->units);
        bus_free(d->bus);
        service_free(d->service);
        manager_free(d->manager);
        sd_event_unref(d->event);
}

static int open_daemon(Daemon *d, const char *root, UnitSocketFds *fds) {
        const ManagerObserver manager_observer = {
                .job_added = on_job_added,
                .job_removed = on_job_removed,
                .job_changed = on_job_changed,
                .configuration_changed = on_configuration_changed,
                .target_written = on_target_written,
                .ready = on_ready,
                .userdata = d,
        };
        const BusObserver observer = { .named = on_named, .reload = on_reload, .userdata = d };
        int r;

        r = open_event(d);
        if (r >= 0)
                r = manager_new(d->event, root, &d->manager);
        if (r >= 0)
                r = service_new(d->event, d->manager, &d->service);
        if (r >= 0)
                r = bus_new(d->event, d->manager, &observer, &d->bus);
        if (r >= 0 && fds->listening >= 0)
                r = unit_socket_new(d->event, d->manager, d->service, fds, &d->units);
        unit_socket_fds_done(fds);
        if (r < 0)
                return log_error_errno(r, "Cannot start: %m");
        manager_set_observer(d->manager, &manager_observer);
        r = manager_start(d->manager);
        if (r < 0)
                return r;
        service_starting(d->service);
        return 0;
}

/* Asked for as the last thing that we do, it would be refused: polkit looks at who asks, who has to be there
 * for that, and a stop waits for nobody. */
static void keep_reloads(Daemon *d) {
        _cleanup_strv_ char **units = NULL;
        int r;

        r = bus_pending_reloads(d->bus, &units);
        if (r >= 0)
                r = manager_note_reloads(d->manager, units);
        if (r < 0)
                log_warning_errno(r, "Cannot note which units are still to be reloaded, ignoring: %m");
}

static void take_up_reloads(Daemon *d) {
        _cleanup_strv_ char **units = NULL;

        if (manager_find_reloads(d->manager, &units) < 0)
                log_oom();
        else
                bus_reload_units(d->bus, units);
}

static int run(const char *root, UnitSocketFds *fds) {
        _cleanup_(daemon_done) Daemon d = {};
        int r;

        r = open_daemon(&d, root, fds);
        if (r < 0)
                return r;
        take_up_reloads(&d);
        r = sd_event_loop(d.event);
        keep_reloads(&d);
        service_stopping(d.service);
        return r;
}

static int help(void) {
        printf("pullauthd [OPTION…]\n\n"
               "Keeps registry credentials of robot accounts fresh, in the files that\n"
               "container tools read.\n\n"
               "  -h --help       Show this\n"
               "     --version    Show the version\n"
               "     --root=DIR   Look for everything below DIR: configuration, state,\n"
               "                  runtime files, token files and targets\n\n"
               "Normally started as pullauthd.service. See pullauthd(8), pullauthctl(1).\n");
        return 0;
}

/* Returns 1 to go on, 0 when all is done, -EINVAL. */
static int parse_options(int argc, char *argv[], const char **ret_root) {
        enum { OPTION_VERSION = 0x100, OPTION_ROOT };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "root", required_argument, NULL, OPTION_ROOT },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        return help();
                case OPTION_VERSION:
                        printf("pullauthd %s\n", PROJECT_VERSION);
                        return 0;
                case OPTION_ROOT:
                        *ret_root = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "pullauthd: unexpected argument '%s', see --help\n", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

/* Links are resolved once, here: below it none is followed where files are written. */
static int resolve_root(const char *root, char **ret) {
        char *path;

        path = realpath(root, NULL);
        if (!path)
                return log_error_errno(errno, "Cannot use --root=%s: %m", root);
        if (streq(path, "/"))
                path[0] = '\0';
        *ret = path;
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_free_ char *resolved = NULL;
        const char *root = NULL;
        UnitSocketFds fds = UNIT_SOCKET_FDS_NONE;
        int r;

        log_setup();
        r = parse_options(argc, argv, &root);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        (void) unit_socket_fds_find(&fds);
        (void) umask(0022);
        r = process_guard();
        if (r < 0)
                log_warning_errno(r, "Cannot keep others from looking into this process, ignoring: %m");
        if (root) {
                r = resolve_root(root, &resolved);
                if (r < 0)
                        return EXIT_FAILURE;
        }
        return run(resolved ?: "", &fds) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
