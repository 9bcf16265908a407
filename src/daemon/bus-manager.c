/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager on the bus: the list of jobs, refreshing them, reloading, and counts as properties.
 *
 * Owns the table of its interface. Callers name jobs; no path, no URL and no command ever comes from
 * them. Each method checks its arguments, then the caller's right, then looks things up: so after a wait
 * for polkit it all happens anew. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager.h"
#include "daemon/bus-value.h"
#include "io/authorize.h"
#include "model/name.h"

#define PROPERTY_GETTER(name)                                                                       \
        static int name(sd_bus *bus, const char *path, const char *interface, const char *property, \
                        sd_bus_message *reply, void *userdata, sd_bus_error *reterror)

static Manager *manager_of(void *userdata) {
        return ((const BusContext *) userdata)->manager;
}

PROPERTY_GETTER(get_version) {
        return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

PROPERTY_GETTER(get_ready) {
        return sd_bus_message_append(reply, "b", manager_is_ready(manager_of(userdata)));
}

static bool is_used(const Manager *m, const IdentityConfig *identity) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n; i++)
                if (streq_ptr(jobs[i]->config->identity, identity->name))
                        return true;
        return false;
}

/* What belongs to no job: jobs tell of their own files and of their identity themselves. */
static int append_other_messages(sd_bus_message *m, const Manager *manager) {
        const Configuration *c = manager_configuration(manager);
        int r;

        if (!c)
                return 0;
        r = bus_append_conf_messages(m, c->messages);
        for (size_t i = 0; i < c->n_identities && r >= 0; i++)
                if (!is_used(manager, c->identities[i].config))
                        r = bus_append_conf_messages(m, c->identities[i].conf);
        return r;
}

PROPERTY_GETTER(get_messages) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', BUS_CONF_MESSAGE_TYPE);
        if (r >= 0)
                r = append_other_messages(reply, manager_of(userdata));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* One property for each state, and one for all of them; inactive jobs are in the latter only. */
static const struct {
        const char *property;
        JobState state; /* _JOB_STATE_MAX: all */
} counts[] = {
        { "NJobs", _JOB_STATE_MAX },   { "NFresh", JOB_FRESH },     { "NRefreshing", JOB_REFRESHING },
        { "NRetrying", JOB_RETRYING }, { "NExpired", JOB_EXPIRED }, { "NFailed", JOB_FAILED },
};

static uint32_t count_of(const ManagerCounts *c, size_t i) {
        return counts[i].state == _JOB_STATE_MAX ? c->all : c->n[counts[i].state];
}

PROPERTY_GETTER(get_count) {
        ManagerCounts now;

        manager_count(manager_of(userdata), &now);
        for (size_t i = 0; i < ELEMENTSOF(counts); i++)
                if (streq(counts[i].property, property))
                        return sd_bus_message_append(reply, "u", count_of(&now, i));
        return -ENOENT;
}

static int append_job(sd_bus_message *reply, const Manager *m, const Job *j) {
        const Failure *f = job_failure(j);
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_job_path(j, &path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "(sosssstt)", j->name, path, strempty(j->config->registry),
                                     strempty(j->config->robot), job_state_to_string(j->state),
                                     f ? reason_to_string(f->reason) : "",
                                     j->credential ? manager_real_time(m, j->expires_boot) : UINT64_C(0),
                                     manager_real_time(m, j->next_attempt_boot));
}

static int method_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const Manager *m = manager_of(userdata);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Job *const *jobs;
        size_t n;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sosssstt)");
        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = append_job(reply, m, jobs[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

/* Returns 0 or sets the error. */
static int read_name(sd_bus_message *message, const char **ret, sd_bus_error *reterror) {
        int r;

        r = sd_bus_message_read(message, "s", ret);
        if (r < 0)
                return r;
        if (!object_name_is_valid(*ret))
                return sd_bus_error_set(reterror, "org.pullauth1.Error.InvalidName",
                                        "That is no name that a job can have");
        return 0;
}

static int find_job(const BusContext *b, const char *name, Job **ret, sd_bus_error *reterror) {
        *ret = manager_find_job(b->manager, name);
        if (*ret)
                return 0;
        return sd_bus_error_setf(reterror, "org.pullauth1.Error.NoSuchJob", "There is no job '%s'", name);
}

static int method_get_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_free_ char *path = NULL;
        const char *name;
        Job *j;
        int r;

        r = read_name(message, &name, reterror);
        if (r >= 0)
                r = find_job(userdata, name, &j, reterror);
        if (r >= 0)
                r = bus_job_path(j, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int method_refresh_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        uint64_t attempt;
        const char *name;
        const BusContext *b = userdata;
        Job *j;
        int r;

        r = read_name(message, &name, reterror);
        if (r < 0)
                return r;
        r = authorize(b->authorizer, message, (char *const[]){ (char *) "job", (char *) name, NULL },
                      reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = find_job(b, name, &j, reterror);
        if (r >= 0)
                r = bus_job_refresh(j, &attempt, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "t", attempt);
}

/* Jobs whose configuration cannot work are left out of the answer. */
static int refresh_all(const Manager *m, sd_bus_message *reply) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n; i++) {
                uint64_t attempt;
                int r;

                r = job_refresh(jobs[i], &attempt);
                if (r > 0)
                        r = sd_bus_message_append(reply, "(st)", jobs[i]->name, attempt);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int method_refresh_all(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusContext *b = userdata;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(st)");
        if (r >= 0)
                r = refresh_all(b->manager, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

static int append_all_messages(sd_bus_message *reply, const Manager *m) {
        Job *const *jobs;
        size_t n;
        int r;

        r = append_other_messages(reply, m);
        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = bus_append_conf_messages(reply, jobs[i]->conf);
        return r;
}

static int reload(const BusContext *b) {
        const BusObserver *o = &b->observer;
        int r;

        if (o->reload)
                o->reload(/* begin= */ true, o->userdata);
        r = manager_reload(b->manager);
        if (o->reload)
                o->reload(/* begin= */ false, o->userdata);
        return r;
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusContext *b = userdata;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = reload(b);
        if (r < 0)
                return sd_bus_error_set_errnof(reterror, r, "The configuration cannot be read: %s",
                                               strerrordesc_np(-r));
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', BUS_CONF_MESSAGE_TYPE);
        if (r >= 0)
                r = append_all_messages(reply, b->manager);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ANYONE SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ready", "b", get_ready, 0, CHANGES),
        SD_BUS_PROPERTY("ConfigurationMessages", "a(suss)", get_messages, 0, CHANGES),
        SD_BUS_PROPERTY("NJobs", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NFresh", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NRefreshing", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NRetrying", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NExpired", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NFailed", "u", get_count, 0, CHANGES),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sosssstt)", jobs),
                                method_list_jobs, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetJob", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job), method_get_job,
                                ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RefreshJob", SD_BUS_ARGS("s", name), SD_BUS_RESULT("t", attempt),
                                method_refresh_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RefreshAll", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(st)", attempts),
                                method_refresh_all, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(suss)", messages), method_reload,
                                ANYONE),
        SD_BUS_SIGNAL_WITH_ARGS("JobAdded", SD_BUS_ARGS("s", name, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("s", name, "o", job), 0),
        SD_BUS_VTABLE_END,
};

const BusObject bus_manager_object = {
        .path = BUS_PATH,
        .interface = BUS_MANAGER_INTERFACE,
        .vtable = vtable,
        .object_manager = true,
};

void bus_manager_emit_changed(sd_bus *bus, const ManagerCounts *before, const ManagerCounts *now,
                              bool configuration_changed, bool ready_changed) {
        const char *names[ELEMENTSOF(counts) + 3];
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(counts); i++)
                if (count_of(before, i) != count_of(now, i))
                        names[n++] = counts[i].property;
        if (configuration_changed)
                names[n++] = "ConfigurationMessages";
        if (ready_changed)
                names[n++] = "Ready";
        names[n] = NULL;
        if (n > 0)
                (void) sd_bus_emit_properties_changed_strv(bus, BUS_PATH, BUS_MANAGER_INTERFACE,
                                                           (char **) names);
}
