/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager on the bus: the table of its interface, its properties, and news of them.
 *
 * Its methods stand in files of their own, by what they do (bus-manager-methods.h). Callers name things and
 * give plain settings; no path, no URL and no command ever comes from them. Each method checks its
 * arguments, then the caller's right, then looks things up: so after a wait for polkit it all happens
 * anew. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-manager.h"
#include "daemon/bus-value.h"

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

int bus_manager_append_messages(sd_bus_message *m, const Manager *manager) {
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
                r = bus_manager_append_messages(reply, manager_of(userdata));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* One property for each state, and one for all of them. */
static const struct {
        const char *property;
        JobState state; /* _JOB_STATE_MAX: all */
} counts[] = {
        { "NJobs", _JOB_STATE_MAX },       { "NInactive", JOB_INACTIVE }, { "NFresh", JOB_FRESH },
        { "NRefreshing", JOB_REFRESHING }, { "NRetrying", JOB_RETRYING }, { "NExpired", JOB_EXPIRED },
        { "NFailed", JOB_FAILED },
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

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ANYONE SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ready", "b", get_ready, 0, CHANGES),
        SD_BUS_PROPERTY("ConfigurationMessages", "a(suss)", get_messages, 0, CHANGES),
        SD_BUS_PROPERTY("NJobs", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NInactive", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NFresh", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NRefreshing", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NRetrying", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NExpired", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("NFailed", "u", get_count, 0, CHANGES),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sosssstt)", jobs),
                                bus_manager_list_jobs, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ListJobsByRegistry", SD_BUS_ARGS("s", registry),
                                SD_BUS_RESULT("a(sosssstt)", jobs), bus_manager_list_jobs_by_registry,
                                ANYONE),
        SD_BUS_METHOD_WITH_ARGS("FindJobForImage", SD_BUS_ARGS("s", image),
                                SD_BUS_RESULT("s", name, "o", job, "s", scope),
                                bus_manager_find_job_for_image, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ListRegistries", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sss)", registries),
                                bus_manager_list_registries, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetJob", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job),
                                bus_manager_get_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ExplainIdentity", SD_BUS_ARGS("s", identity),
                                SD_BUS_RESULT("a{sv}", claims), bus_manager_explain_identity, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("TestJob", SD_BUS_ARGS("s", name),
                                SD_BUS_RESULT("a(ssts)", steps, "a{sv}", failure), bus_manager_test_job,
                                ANYONE),
        SD_BUS_METHOD_WITH_ARGS("WaitJobs", SD_BUS_ARGS("as", names, "t", timeout),
                                SD_BUS_RESULT("a(sss)", jobs), bus_manager_wait_jobs, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetCredential", SD_BUS_ARGS("s", name),
                                SD_BUS_RESULT("h", auth, "t", expires), bus_manager_get_credential, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetCredentialForImage", SD_BUS_ARGS("s", image),
                                SD_BUS_RESULT("s", name, "s", scope, "h", auth, "t", expires),
                                bus_manager_get_credential_for_image, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetCredentialForRegistry", SD_BUS_ARGS("s", registry),
                                SD_BUS_RESULT("s", name, "s", scope, "h", auth, "t", expires),
                                bus_manager_get_credential_for_registry, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ExchangeToken", SD_BUS_ARGS("s", image, "s", robot, "h", token),
                                SD_BUS_RESULT("s", name, "s", scope, "h", auth, "t", expires),
                                bus_manager_exchange_token, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RenderTarget", SD_BUS_ARGS("s", target), SD_BUS_RESULT("s", text),
                                bus_manager_render_target, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("GetMetrics", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text),
                                bus_manager_get_metrics, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RefreshJob", SD_BUS_ARGS("s", name), SD_BUS_RESULT("t", attempt),
                                bus_manager_refresh_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RefreshAll", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(st)", attempts),
                                bus_manager_refresh_all, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RefreshRegistry", SD_BUS_ARGS("s", registry),
                                SD_BUS_RESULT("a(st)", attempts), bus_manager_refresh_registry, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ResetFailedJob", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                bus_manager_reset_failed_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ResetFailed", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_manager_reset_failed,
                                ANYONE),
        SD_BUS_METHOD_WITH_ARGS("CreateJob", SD_BUS_ARGS("s", name, "a{sv}", settings, "t", flags),
                                SD_BUS_RESULT("o", job), bus_manager_create_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("ChangeJob", SD_BUS_ARGS("s", name, "a{sv}", settings, "t", flags),
                                SD_BUS_NO_RESULT, bus_manager_change_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("EnableJob", SD_BUS_ARGS("s", name, "t", flags), SD_BUS_NO_RESULT,
                                bus_manager_enable_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("DisableJob", SD_BUS_ARGS("s", name, "t", flags), SD_BUS_NO_RESULT,
                                bus_manager_disable_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("RemoveJob", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                bus_manager_remove_job, ANYONE),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(suss)", messages),
                                bus_manager_reload, ANYONE),
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
