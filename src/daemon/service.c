/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Talks to the service manager.
 *
 * Owns the two conditions of readiness and the status line, which is sent when it reads differently and
 * not more often. Never waits for the service manager to read: see notifier.c. */

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/notifier.h"
#include "daemon/service.h"

#define BUS_TIMEOUT (10 * USEC_PER_SEC)
/* Who looks at a status line does not read faster than this. */
#define FLUSH_INTERVAL (200 * USEC_PER_MSEC)
#define FLUSH_BURST 20

struct Service {
        const Manager *manager;
        Notifier *notifier;
        sd_event_source *flush;
        sd_event_source *bus_timer;
        char *status;
        bool manager_ready, bus_ready, told_ready;
};

int service_status_text(const ManagerCounts *c, char **ret) {
        _cleanup_free_ char *text = NULL;
        bool first = true;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        if (c->all == 0)
                fputs("No jobs, see pullauth.job(5)", f);
        else
                fprintf(f, "%" PRIu32 " job%s:", c->all, c->all == 1 ? "" : "s");
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                if (c->n[s] > 0) {
                        fprintf(f, "%s %" PRIu32 " %s", first ? "" : ",", c->n[s], job_state_to_string(s));
                        first = false;
                }
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static int on_flush(sd_event_source *source, void *userdata) {
        Service *s = userdata;
        _cleanup_free_ char *text = NULL;
        ManagerCounts counts;
        int r;

        manager_count(s->manager, &counts);
        if (service_status_text(&counts, &text) < 0)
                return 0;
        r = free_and_strdup(&s->status, text);
        if (r > 0)
                notifier_tell(s->notifier, NOTIFY_STATUS, "STATUS=%s", text);
        return 0;
}

static void check_ready(Service *s) {
        if (s->told_ready || !s->manager_ready || !s->bus_ready)
                return;
        s->told_ready = true;
        notifier_tell(s->notifier, NOTIFY_STARTED, "READY=1");
}

static int on_bus_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Service *s = userdata;

        log_notice("The name on the system bus is not to be had, going on without it");
        s->bus_ready = true;
        check_ready(s);
        return 0;
}

int service_new(sd_event *event, const Manager *manager, Service **ret) {
        _cleanup_(service_freep) Service *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->manager = manager;
        r = notifier_new(event, &s->notifier);
        if (r >= 0)
                r = sd_event_add_defer(event, &s->flush, on_flush, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->flush, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(s->flush, FLUSH_INTERVAL, FLUSH_BURST);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &s->bus_timer, CLOCK_MONOTONIC, BUS_TIMEOUT, 0,
                                               on_bus_timer, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Service *service_free(Service *s) {
        if (!s)
                return NULL;
        sd_event_source_disable_unref(s->flush);
        sd_event_source_disable_unref(s->bus_timer);
        notifier_free(s->notifier);
        free(s->status);
        free(s);
        return NULL;
}

/* The service manager's own patience may be shorter than what is configured here. */
void service_starting(Service *s) {
        notifier_tell(s->notifier, NOTIFY_PATIENCE, "EXTEND_TIMEOUT_USEC=%" PRIu64,
                      manager_configuration(s->manager)->daemon->ready_timeout + BUS_TIMEOUT);
}

void service_manager_ready(Service *s) {
        s->manager_ready = true;
        service_changed(s);
        check_ready(s);
}

void service_bus_named(Service *s) {
        s->bus_timer = sd_event_source_disable_unref(s->bus_timer);
        s->bus_ready = true;
        check_ready(s);
}

void service_changed(Service *s) {
        (void) sd_event_source_set_enabled(s->flush, SD_EVENT_ONESHOT);
}

void service_reloading(Service *s, bool begin) {
        struct timespec now;

        /* Whoever waits for us to start must not take the end of a reload for it. */
        if (!s->told_ready)
                return;
        if (!begin) {
                notifier_tell(s->notifier, NOTIFY_RELOADED, "READY=1");
                return;
        }
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        notifier_tell(s->notifier, NOTIFY_RELOADING, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                      (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000);
}

void service_stopping(Service *s) {
        notifier_tell(s->notifier, NOTIFY_STOPPING, "STOPPING=1\nSTATUS=Shutting down");
}

int service_hold(Service *s, int fd, const char *name) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = text_format(&text, "FDSTORE=1\nFDNAME=%s", name);
        return r < 0 ? r : notifier_pass(s->notifier, fd, text);
}

int service_release(Service *s, const char *name) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = text_format(&text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        return r < 0 ? r : notifier_pass(s->notifier, /* fd= */ -EBADF, text);
}
