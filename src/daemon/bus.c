/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Life on the system bus: connects, asks for the name, registers the objects, and tells of changes.
 *
 * Owns the connection and the accounts of what has not been told yet. Changes are collected and sent from
 * the event loop, so that an attempt which changes ten properties is one signal.
 *
 * The bus is for looking and asking: without one, or while it is being restarted, jobs go on as ever. */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/bus-event.h"
#include "daemon/bus-job-event.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager.h"
#include "daemon/bus.h"
#include "daemon/manager-save.h"
#include "io/bus-object.h"

#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define RECONNECT_DELAY (1 * USEC_PER_SEC)
/* Single changes are told at once. Of a thousand jobs that are refreshed together nobody needs to hear of
 * each step by itself, and telling costs more than the refresh. */
#define FLUSH_INTERVAL (200 * USEC_PER_MSEC)
#define FLUSH_BURST 20
/* Of so many jobs at once, and no more while the bus has to take so many messages first: what all have to
 * tell would be held for it in one piece. */
#define FLUSH_JOBS 64
#define FLUSH_QUEUED 256

/* DBUS_REQUEST_NAME_REPLY_* of the D-Bus specification. */
#define REPLY_PRIMARY_OWNER 1
#define REPLY_ALREADY_OWNER 4

/* Who may do what: the one table of it. What has no row here is refused. */
static const AuthorizeRule rules[] = {
        { BUS_MANAGER_INTERFACE, "RefreshJob", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "RefreshAll", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "RefreshRegistry", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "ResetFailedJob", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "ResetFailed", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "CreateJob", "org.pullauth1.manage-jobs" },
        { BUS_MANAGER_INTERFACE, "ChangeJob", "org.pullauth1.manage-jobs" },
        { BUS_MANAGER_INTERFACE, "EnableJob", "org.pullauth1.manage-jobs" },
        { BUS_MANAGER_INTERFACE, "DisableJob", "org.pullauth1.manage-jobs" },
        { BUS_MANAGER_INTERFACE, "RemoveJob", "org.pullauth1.manage-jobs" },
        { BUS_MANAGER_INTERFACE, "ExplainIdentity", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "TestJob", "org.pullauth1.refresh" },
        { BUS_MANAGER_INTERFACE, "GetCredential", "org.pullauth1.read-credential" },
        { BUS_MANAGER_INTERFACE, "GetCredentialForImage", "org.pullauth1.read-credential" },
        { BUS_MANAGER_INTERFACE, "GetCredentialForRegistry", "org.pullauth1.read-credential" },
        { BUS_MANAGER_INTERFACE, "ExchangeToken", "org.pullauth1.read-credential" },
        { BUS_MANAGER_INTERFACE, "RenderTarget", "org.pullauth1.read-credential" },
        { BUS_MANAGER_INTERFACE, "Reload", "org.pullauth1.reload" },
        { BUS_JOB_INTERFACE, "Refresh", "org.pullauth1.refresh" },
};

struct Bus {
        sd_event *event;
        BusContext context;
        sd_bus *bus; /* NULL while there is none */
        sd_event_source *flush;
        sd_event_source *reconnect;
        bool named;       /* before that nobody can know whose signals these are */
        size_t next_told; /* of the manager's jobs: where the next slice of them begins, but a hint */
        bool sliced;      /* one did not do */
        ManagerCounts told;
        bool told_ready;
        bool configuration_changed;
};

static void schedule_flush(Bus *b) {
        (void) sd_event_source_set_enabled(b->flush, SD_EVENT_ONESHOT);
}

/* Each slice goes on where the one before stopped, else ten thousand jobs with news would be looked at a
 * hundred times. Returns true if nobody is left with something to tell. */
static bool flush_jobs(Bus *b) {
        size_t n, n_told = 0;
        Job *const *jobs;
        uint64_t queued;

        if (b->named && sd_bus_get_n_queued_write(b->bus, &queued) >= 0 && queued > FLUSH_QUEUED)
                return false;
        jobs = manager_jobs(b->context.manager, &n);
        for (size_t i = 0, at = b->next_told; i < n; i++, at++) {
                Job *j = jobs[at % n];
                JobChange what = j->unannounced;

                if (what == 0)
                        continue;
                if (b->named) {
                        if (++n_told > FLUSH_JOBS) {
                                b->next_told = at % n;
                                return false;
                        }
                        bus_job_emit_changed(b->bus, j, what);
                        bus_job_emit_events(&b->context, b->bus, j, what);
                }
                job_told(j);
        }
        b->next_told = 0;
        return true;
}

static int on_flush(sd_event_source *source, void *userdata) {
        Bus *b = userdata;
        ManagerCounts counts;

        if (!flush_jobs(b)) {
                b->sliced = true;
                schedule_flush(b);
                return 0;
        }
        manager_count(b->context.manager, &counts);
        if (b->named)
                bus_manager_emit_changed(b->bus, &b->told, &counts, b->configuration_changed,
                                         b->told_ready != manager_is_ready(b->context.manager));
        b->told = counts;
        b->told_ready = manager_is_ready(b->context.manager);
        b->configuration_changed = false;
        if (b->context.waiting)
                waiting_look(b->context.waiting);
        /* The last of a bunch of jobs: what the signals took is many times of what is held. */
        if (b->sliced)
                (void) malloc_trim(0);
        b->sliced = false;
        return 0;
}

static void forget_callers(Bus *b) {
        b->context.authorizer = authorizer_free(b->context.authorizer);
        b->context.waiting = waiting_free(b->context.waiting);
        b->context.callers = callers_free(b->context.callers);
        unit_reloads_set_bus(b->context.reloads, NULL);
}

static void disconnect(Bus *b) {
        forget_callers(b);
        b->bus = sd_bus_close_unref(b->bus);
        b->named = false;
}

static void reconnect_later(Bus *b) {
        (void) sd_event_source_set_time_relative(b->reconnect, RECONNECT_DELAY);
        (void) sd_event_source_set_enabled(b->reconnect, SD_EVENT_ONESHOT);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        log_notice("The system bus went away, connecting again");
        reconnect_later(userdata);
        return 0;
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        Bus *b = userdata;
        uint32_t answer;
        int r;

        if (sd_bus_message_is_method_error(m, NULL)) {
                const sd_bus_error *error = sd_bus_message_get_error(m);

                log_error("Cannot have the name %s on the system bus, jobs go on unseen: %s", BUS_NAME,
                          error->message ?: error->name);
                return 0;
        }
        r = sd_bus_message_read(m, "u", &answer);
        if (r < 0)
                return r;
        if (answer != REPLY_PRIMARY_OWNER && answer != REPLY_ALREADY_OWNER) {
                log_error("The name %s on the system bus is taken, another pullauthd is running", BUS_NAME);
                return sd_event_exit(b->event, EXIT_FAILURE);
        }
        b->named = true;
        if (b->context.observer.named)
                b->context.observer.named(b->context.observer.userdata);
        return 0;
}

static int register_all(Bus *b, sd_bus *bus) {
        const BusObject *const objects[] = { &bus_manager_object, &bus_job_object };
        int r;

        r = callers_new(bus, &b->context.callers);
        if (r >= 0)
                r = waiting_new(b->event, b->context.callers, &b->context.waiting);
        if (r >= 0)
                r = authorizer_new(bus, b->context.callers, rules, ELEMENTSOF(rules),
                                   &b->context.authorizer);
        if (r >= 0)
                r = bus_objects_register(bus, objects, ELEMENTSOF(objects), &b->context);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                              "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                              NULL, b);
        if (r >= 0)
                r = bus_events_subscribe(bus, &b->context);
        if (r >= 0)
                r = sd_bus_request_name_async(bus, NULL, BUS_NAME, 0, on_name, b);
        return r;
}

static int open_connection(sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_description(bus, "system");
        if (r >= 0)
                r = sd_bus_set_address(bus, secure_getenv("DBUS_SYSTEM_BUS_ADDRESS") ?: DEFAULT_ADDRESS);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        /* A bus that is not there yet is waited for (inotify), not asked again and again. */
        if (r >= 0)
                r = sd_bus_set_watch_bind(bus, true);
        /* For sending; of messages with descriptors the policy of the bus lets those of one method come. */
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, true);
        /* At the end of the event loop libsystemd would wait for a bus that does not take what is left. */
        if (r >= 0)
                r = sd_bus_set_close_on_exit(bus, false);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

static int connect_bus(Bus *b) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = open_connection(&bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, b->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = register_all(b, bus);
        if (r < 0) {
                forget_callers(b);
                return r;
        }
        b->bus = TAKE_PTR(bus);
        unit_reloads_set_bus(b->context.reloads, b->bus);
        return 0;
}

static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata) {
        Bus *b = userdata;
        int r;

        disconnect(b);
        r = connect_bus(b);
        if (r < 0) {
                log_debug("Cannot connect to the system bus: %s", strerrordesc_np(-r));
                reconnect_later(b);
        }
        return 0;
}

static void on_pod_exchange(void *userdata) {
        Bus *b = userdata;

        if (b->context.waiting)
                waiting_look(b->context.waiting);
}

/* Of all jobs whose targets name units: few do, and it is rare. */
static void on_unit_reload(void *userdata) {
        Bus *b = userdata;
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(b->context.manager, &n);
        for (size_t i = 0; i < n; i++)
                if (bus_job_tells_units(&b->context, jobs[i]))
                        bus_job_changed(b, jobs[i], JOB_CHANGED_TARGETS);
}

static void on_unit_told(const char *unit, void *userdata) {
        Bus *b = userdata;

        manager_forget_reload(b->context.manager, unit);
}

int bus_new(sd_event *event, Manager *manager, const BusObserver *observer, Bus **ret) {
        UnitReloadsClient reloads = { .changed = on_unit_reload, .told = on_unit_told };
        _cleanup_(bus_freep) Bus *b = NULL;
        int r;

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->event = sd_event_ref(event);
        b->context.manager = manager;
        b->context.observer = *observer;
        reloads.userdata = b;
        r = pod_exchanges_new(event, manager, on_pod_exchange, b, &b->context.pods);
        if (r >= 0)
                r = unit_reloads_new(event, &reloads, &b->context.reloads);
        if (r >= 0)
                r = sd_event_add_defer(event, &b->flush, on_flush, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->flush, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(b->flush, FLUSH_INTERVAL, FLUSH_BURST);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &b->reconnect, CLOCK_MONOTONIC, RECONNECT_DELAY, 0,
                                               on_reconnect, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->reconnect, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = connect_bus(b);
        if (r < 0) {
                log_warning_errno(r, "Cannot connect to the system bus, trying again: %m");
                reconnect_later(b);
        }
        *ret = TAKE_PTR(b);
        return 0;
}

Bus *bus_free(Bus *b) {
        if (!b)
                return NULL;
        if (b->context.reloads)
                disconnect(b);
        unit_reloads_free(b->context.reloads);
        pod_exchanges_free(b->context.pods);
        sd_event_source_disable_unref(b->flush);
        sd_event_source_disable_unref(b->reconnect);
        sd_event_unref(b->event);
        free(b);
        return NULL;
}

void bus_job_added(Bus *b, Job *j) {
        if (b->named)
                bus_job_emit_added(b->bus, j);
        schedule_flush(b);
}

void bus_job_removed(Bus *b, Job *j) {
        if (b->named)
                bus_job_emit_removed(b->bus, j);
        schedule_flush(b);
}

void bus_job_changed(Bus *b, Job *j, JobChange what) {
        j->unannounced |= what;
        schedule_flush(b);
}

void bus_configuration_changed(Bus *b) {
        b->configuration_changed = true;
        schedule_flush(b);
}

void bus_reload_units(Bus *b, char *const *units) {
        if (unit_reloads_want(b->context.reloads, units) < 0)
                log_oom();
}

int bus_pending_reloads(const Bus *b, char ***ret) {
        return unit_reloads_pending(b->context.reloads, ret);
}
