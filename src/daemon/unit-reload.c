/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the service manager to reload units, each at once when it was left alone for a while, and at most
 * once in an interval.
 *
 * Owns the requests, the pace and the sentences about what went wrong. A request that failed is not repeated
 * by itself: what it failed for does not change in a moment, and the next change of the target is the next
 * try. Asks for what polkit lets this daemon do and nothing else: it is not root, and an administrator says
 * in a rule which units it may reload.
 *
 * Refuses to have an opinion on credentials: whether a unit was reloaded changes nothing about the job. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/unit-reload.h"
#include "model/message-id.h"

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

/* One that cannot reload is restarted, and by default no unit may be started more than five times in ten
 * seconds. */
#define INTERVAL (10 * USEC_PER_SEC)
/* Of the answer, before which polkit has to be asked; what the unit does after it is not waited for. */
#define TIMEOUT (90 * USEC_PER_SEC)
#define WORDS_MAX 300

typedef struct UnitReload {
        UnitReloads *reloads;
        const char *unit; /* stands behind this */
        sd_event_source *timer;
        sd_bus_slot *call;
        char *job; /* of the service manager, until it is over */
        char *problem;
        usec_t not_before;
        bool wanted;
} UnitReload;

struct UnitReloads {
        sd_event *event;
        sd_bus *bus; /* NULL while there is none */
        sd_bus_slot *match;
        UnitReloadsClient client;
        UnitReload **items;
        size_t n_items;
};

static UnitReload *unit_reload_free(UnitReload *u) {
        if (!u)
                return NULL;
        sd_bus_slot_unref(u->call);
        sd_event_source_disable_unref(u->timer);
        free(u->job);
        free(u->problem);
        free(u);
        return NULL;
}

static UnitReload *find(const UnitReloads *l, const char *unit) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i]->unit, unit))
                        return l->items[i];
        return NULL;
}

static void log_problem(const UnitReload *u) {
        const LogField fields[] = { { "PULLAUTH_UNIT", u->unit } };

        if (u->problem)
                log_full(LOG_WARNING, 0, MESSAGE_ID_UNIT_NOT_RELOADED, fields, ELEMENTSOF(fields), "%s",
                         u->problem);
        else
                log_full(LOG_NOTICE, 0, NULL, fields, ELEMENTSOF(fields), "Unit '%s' is reloaded again",
                         u->unit);
}

/* Told once for each problem, until it is another one or over. */
static void set_problem(UnitReload *u, char *problem) {
        if (streq_ptr(u->problem, problem)) {
                free(problem);
                return;
        }
        free(u->problem);
        u->problem = problem;
        log_problem(u);
        u->reloads->client.changed(u->reloads->client.userdata);
}

static void fail(UnitReload *u, const char *what, const char *hint) {
        char *text = NULL;

        if (text_format(&text, "Unit '%s' was not reloaded after its credentials changed: %s. %s", u->unit,
                        what, hint) >= 0)
                set_problem(u, text);
}

static bool is_refusal(const sd_bus_error *e) {
        return sd_bus_error_has_names(e, SD_BUS_ERROR_ACCESS_DENIED,
                                      SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static void fail_with_error(UnitReload *u, const sd_bus_error *e) {
        const char *words = e->message ?: strempty(e->name);
        _cleanup_free_ char *clean = NULL;

        if (is_refusal(e)) {
                fail(u, "polkit does not let pullauthd do that",
                     "Name the unit in a rule of polkit, see ReloadUnit= in pullauth.target(5)");
                return;
        }
        if (text_clean(words, strlen(words), WORDS_MAX, &clean) < 0)
                return;
        if (sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit"))
                fail(u, clean, "Install it, or take it out of ReloadUnit= of the target");
        else
                fail(u, clean, "'systemctl status' of it may say more");
}

/* Most jobs of the service manager are none of ours: they are heard of while we wait for one alone. */
static void stop_listening(UnitReloads *l) {
        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i]->call || l->items[i]->job)
                        return;
        l->match = sd_bus_slot_unref(l->match);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void arm(UnitReload *u) {
        int r;

        if (!u->wanted || u->call || !u->reloads->bus)
                return;
        if (u->timer)
                r = sd_event_source_set_time(u->timer, u->not_before);
        else
                r = sd_event_add_time(u->reloads->event, &u->timer, CLOCK_BOOTTIME, u->not_before, 1,
                                      on_timer, u);
        if (r >= 0)
                r = sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_warning_errno(r, "Cannot have unit '%s' reloaded: %m", u->unit);
}

/* The answer: a job of the service manager, or why there is none. */
static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        UnitReload *u = userdata;
        const char *job;

        u->call = sd_bus_slot_unref(u->call);
        u->not_before = usec_add(now_boot(), INTERVAL);
        /* The bus is going, and the answer with it. */
        if (sd_bus_is_open(u->reloads->bus) <= 0)
                u->wanted = true;
        else if (sd_bus_message_is_method_error(m, NULL))
                fail_with_error(u, sd_bus_message_get_error(m));
        else if (sd_bus_message_read(m, "o", &job) >= 0)
                (void) free_and_strdup(&u->job, job);
        if (!u->wanted)
                u->reloads->client.told(u->unit, u->reloads->client.userdata);
        arm(u);
        stop_listening(u->reloads);
        return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterror);

static int request(UnitReload *u) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        UnitReloads *l = u->reloads;
        int r = 0;

        free(TAKE_PTR(u->job));
        if (!l->match)
                r = sd_bus_match_signal_async(l->bus, &l->match, MANAGER_NAME, MANAGER_PATH,
                                              MANAGER_INTERFACE, "JobRemoved", on_job_removed, NULL, l);
        if (r >= 0)
                r = sd_bus_message_new_method_call(l->bus, &m, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE,
                                                   "ReloadOrTryRestartUnit");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", u->unit, "replace");
        if (r >= 0)
                r = sd_bus_call_async(l->bus, &u->call, m, on_answer, u, TIMEOUT);
        return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        UnitReload *u = userdata;
        int r;

        if (!u->wanted || u->call || !u->reloads->bus)
                return 0;
        u->wanted = false;
        r = request(u);
        if (r < 0) {
                log_warning_errno(r, "Cannot ask for unit '%s' to be reloaded: %m", u->unit);
                u->wanted = true;
                u->not_before = usec_add(now_boot(), INTERVAL);
                arm(u);
        }
        return 0;
}

/* Another job took the place of it (a stop, for example): who asked for that one knows best. */
static bool is_beside_the_point(const char *result) {
        return streq(result, "canceled");
}

static bool is_well(const char *result) {
        return streq(result, "done") || streq(result, "skipped");
}

static void on_result(UnitReload *u, const char *result) {
        _cleanup_free_ char *what = NULL;

        free(TAKE_PTR(u->job));
        if (is_well(result))
                set_problem(u, NULL);
        else if (!is_beside_the_point(result) &&
                 text_format(&what, "the service manager says '%.32s'", result) >= 0)
                fail(u, what, "'systemctl status' of it and its journal say more");
}

/* What is sent to us alone could be from anyone. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        const char *job, *unit, *result;
        UnitReloads *l = userdata;
        UnitReload *u;

        if (sd_bus_message_get_destination(m) ||
            sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result) < 0)
                return 0;
        u = find(l, unit);
        if (u && streq_ptr(u->job, job))
                on_result(u, result);
        stop_listening(l);
        return 0;
}

int unit_reloads_new(sd_event *event, const UnitReloadsClient *client, UnitReloads **ret) {
        UnitReloads *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        l->client = *client;
        *ret = l;
        return 0;
}

static void disconnect(UnitReloads *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                UnitReload *u = l->items[i];

                u->wanted |= u->call != NULL;
                u->call = sd_bus_slot_unref(u->call);
                free(TAKE_PTR(u->job));
        }
        l->match = sd_bus_slot_unref(l->match);
        l->bus = sd_bus_unref(l->bus);
}

UnitReloads *unit_reloads_free(UnitReloads *l) {
        if (!l)
                return NULL;
        disconnect(l);
        for (size_t i = 0; i < l->n_items; i++)
                unit_reload_free(l->items[i]);
        free(l->items);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

void unit_reloads_set_bus(UnitReloads *l, sd_bus *bus) {
        disconnect(l);
        l->bus = sd_bus_ref(bus);
        for (size_t i = 0; i < l->n_items; i++)
                arm(l->items[i]);
}

static int add(UnitReloads *l, const char *unit, UnitReload **ret) {
        size_t n = strlen(unit) + 1;
        UnitReload *u, **grown;

        grown = reallocarray(l->items, l->n_items + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        u = calloc(1, sizeof(*u) + n);
        if (!u)
                return -ENOMEM;
        u->reloads = l;
        u->unit = memcpy(u + 1, unit, n);
        *ret = l->items[l->n_items++] = u;
        return 0;
}

int unit_reloads_want(UnitReloads *l, char *const *units) {
        STRV_FOREACH(unit, units) {
                UnitReload *u = find(l, *unit);
                int r = u ? 0 : add(l, *unit, &u);

                if (r < 0)
                        return r;
                u->wanted = true;
                arm(u);
        }
        return 0;
}

const char *unit_reloads_problem(const UnitReloads *l, const char *unit) {
        const UnitReload *u = find(l, unit);

        return u ? u->problem : NULL;
}

int unit_reloads_pending(const UnitReloads *l, char ***ret) {
        _cleanup_strv_ char **units = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n_items; i++)
                if (l->items[i]->wanted || l->items[i]->call)
                        r = strv_append(&units, l->items[i]->unit);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(units);
        return 0;
}
