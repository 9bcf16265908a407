/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job on the bus: everything it knows of itself as properties, and Refresh.
 *
 * Owns the object path of a job, the table of its interface, and which properties tell of which change.
 * Shows no secret, for it has none within reach but the credential, of which it reads the dates alone. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "daemon/bus-job.h"
#include "daemon/bus-request.h"
#include "daemon/bus-value.h"
#include "model/name.h"

#define PROPERTY_GETTER(name)                                                                       \
        static int name(sd_bus *bus, const char *path, const char *interface, const char *property, \
                        sd_bus_message *reply, void *userdata, sd_bus_error *reterror)

int bus_job_path(const Job *j, char **ret) {
        return sd_bus_path_encode(BUS_JOB_PREFIX, j->name, ret);
}

/* The slot that is being served belongs to the table, whose userdata is the context. */
static const BusContext *current_context(sd_bus *bus) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                    sd_bus_error *reterror) {
        _cleanup_free_ char *name = NULL;
        const BusContext *b = userdata;
        Job *j;
        int r;

        r = sd_bus_path_decode(path, BUS_JOB_PREFIX, &name);
        if (r <= 0)
                return r;
        j = object_name_is_valid(name) ? manager_find_job(b->manager, name) : NULL;
        if (!j)
                return 0;
        *ret_found = j;
        return 1;
}

static int enumerate_jobs(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                          sd_bus_error *reterror) {
        _cleanup_strv_ char **paths = NULL;
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(((const BusContext *) userdata)->manager, &n);
        paths = calloc(n + 1, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = bus_job_path(jobs[i], paths + i);

                if (r < 0)
                        return r;
        }
        *ret_nodes = TAKE_PTR(paths);
        return 0;
}

PROPERTY_GETTER(get_enabled) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "b", j->config->enabled);
}

PROPERTY_GETTER(get_runtime) {
        return sd_bus_message_append(reply, "b", job_is_runtime(userdata));
}

PROPERTY_GETTER(get_take_over) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "b", j->config->take_over);
}

PROPERTY_GETTER(get_wake_system) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "b", j->config->wake_system);
}

PROPERTY_GETTER(get_on_expiry) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", on_expiry_to_string(j->config->on_expiry));
}

PROPERTY_GETTER(get_on_remove) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", on_remove_to_string(j->config->on_remove));
}

PROPERTY_GETTER(get_minimum_remaining) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "t", j->config->minimum_remaining);
}

PROPERTY_GETTER(get_registry) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", strempty(j->config->registry));
}

PROPERTY_GETTER(get_exchange) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", exchange_kind_to_string(j->config->exchange));
}

PROPERTY_GETTER(get_robot) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", strempty(j->config->robot));
}

PROPERTY_GETTER(get_identity) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", strempty(j->config->identity));
}

PROPERTY_GETTER(get_scopes) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->config->scopes);
}

PROPERTY_GETTER(get_targets) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->config->targets);
}

PROPERTY_GETTER(get_units) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->config->units);
}

PROPERTY_GETTER(get_pod_robots) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->config->pod_robots);
}

PROPERTY_GETTER(get_files) {
        const Job *j = userdata;

        return bus_append_texts(reply, j->config->files);
}

PROPERTY_GETTER(get_messages) {
        const Job *j = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', BUS_CONF_MESSAGE_TYPE);
        if (r >= 0)
                r = bus_append_conf_messages(reply, j->conf);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(get_state) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "s", job_state_to_string(j->state));
}

/* Reason, Step, Message, RegistryWords and Hint are five sides of one failure. */
PROPERTY_GETTER(get_failure_text) {
        const Failure *f = job_failure(userdata);
        const char *text;

        if (!f)
                text = "";
        else if (streq(property, "Reason"))
                text = reason_to_string(f->reason);
        else if (streq(property, "Step"))
                text = failure_step_to_string(f->step);
        else if (streq(property, "Message"))
                text = f->message;
        else if (streq(property, "RegistryWords"))
                text = f->words;
        else
                text = failure_hint(f);
        return sd_bus_message_append(reply, "s", strempty(text));
}

PROPERTY_GETTER(get_http_status) {
        const Failure *f = job_failure(userdata);

        return sd_bus_message_append(reply, "u",
                                     f && f->http_status > 0 ? (uint32_t) f->http_status : UINT32_C(0));
}

PROPERTY_GETTER(get_notices) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->notices);
}

PROPERTY_GETTER(get_failures) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) pace_failures(&j->pace));
}

uint64_t bus_job_expires(const BusContext *b, const Job *j) {
        return j->credential ? manager_real_time(b->manager, j->expires_boot) : 0;
}

PROPERTY_GETTER(get_issued) {
        const Job *j = userdata;
        usec_t expires = bus_job_expires(current_context(bus), j);

        /* From its end and its life, so that the two fit together whatever the registry's clock says. */
        return sd_bus_message_append(reply, "t",
                                     expires > 0 ? usec_sub(expires, credential_lifetime(j->credential))
                                                 : UINT64_C(0));
}

PROPERTY_GETTER(get_expires) {
        return sd_bus_message_append(reply, "t", bus_job_expires(current_context(bus), userdata));
}

PROPERTY_GETTER(get_next_attempt) {
        const Job *j = userdata;

        return sd_bus_message_append(reply, "t",
                                     manager_real_time(current_context(bus)->manager, j->next_attempt_boot));
}

PROPERTY_GETTER(get_claim_text) {
        const Job *j = userdata;
        const char *text;

        if (!j->claims)
                text = "";
        else if (streq(property, "IdentityIssuer"))
                text = j->claims->issuer;
        else if (streq(property, "IdentitySubject"))
                text = j->claims->subject;
        else if (streq(property, "IdentityAlgorithm"))
                text = j->claims->algorithm;
        else
                text = j->claims->key_id;
        return sd_bus_message_append(reply, "s", strempty(text));
}

PROPERTY_GETTER(get_audience) {
        const Job *j = userdata;

        return bus_append_strv(reply, j->claims ? j->claims->audience : NULL);
}

PROPERTY_GETTER(get_claim_time) {
        const Job *j = userdata;
        int64_t seconds = 0;

        if (j->claims)
                seconds = streq(property, "IdentityIssued") ? j->claims->issued : j->claims->expires;
        return sd_bus_message_append(reply, "t", (uint64_t) seconds * USEC_PER_SEC);
}

static char *const *reload_units(const BusContext *b, const char *target) {
        const TargetDefinition *d = target_set_find(manager_configuration(b->manager)->targets, target);

        return d ? d->config->reload_units : NULL;
}

bool bus_job_tells_units(const BusContext *b, const Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (reload_units(b, j->targets[i].name))
                        return true;
        return false;
}

/* What is wrong with it, or with telling others of it, or NULL. */
static const char *target_message(const BusContext *b, const JobTarget *t) {
        if (t->failure)
                return t->failure->message;
        STRV_FOREACH(unit, reload_units(b, t->name)) {
                const char *problem = unit_reloads_problem(b->reloads, *unit);

                if (problem)
                        return problem;
        }
        return manager_target_note(b->manager, t->name);
}

static int append_target_state(sd_bus_message *reply, const BusContext *b, const JobTarget *t) {
        int r;

        r = sd_bus_message_open_container(reply, 'r', "ssss");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", t->name);
        if (r >= 0)
                r = bus_append_text(reply, manager_target_path(b->manager, t->name));
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", target_result_to_string(t->result));
        if (r >= 0)
                r = bus_append_text(reply, target_message(b, t));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(get_target_states) {
        const BusContext *b = current_context(bus);
        const Job *j = userdata;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ssss)");
        for (size_t i = 0; i < j->n_targets && r >= 0; i++)
                r = append_target_state(reply, b, j->targets + i);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_job_refresh(Job *j, uint64_t *ret_attempt, sd_bus_error *reterror) {
        const Failure *f;
        int r;

        r = job_refresh(j, ret_attempt);
        if (r != 0)
                return r;
        if (!j->config->enabled)
                return bus_refuse_disabled(j, reterror);
        f = job_failure(j);
        return bus_error(reterror, API_ERROR_CONFIGURATION_INVALID, "Job '%s' cannot be refreshed: %s",
                         j->name, f ? f->message : "it is not configured");
}

static int method_refresh(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = current_context(sd_bus_message_get_bus(message));
        Job *j = userdata;
        uint64_t attempt;
        int r;

        r = bus_authorize_job(b, message, j->name, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_job_refresh(j, &attempt, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "t", attempt);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", NULL, offsetof(Job, name), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Enabled", "b", get_enabled, 0, CHANGES),
        SD_BUS_PROPERTY("Runtime", "b", get_runtime, 0, CHANGES),
        SD_BUS_PROPERTY("Registry", "s", get_registry, 0, CHANGES),
        SD_BUS_PROPERTY("Exchange", "s", get_exchange, 0, CHANGES),
        SD_BUS_PROPERTY("Robot", "s", get_robot, 0, CHANGES),
        SD_BUS_PROPERTY("Identity", "s", get_identity, 0, CHANGES),
        SD_BUS_PROPERTY("Scopes", "as", get_scopes, 0, CHANGES),
        SD_BUS_PROPERTY("Targets", "as", get_targets, 0, CHANGES),
        SD_BUS_PROPERTY("Units", "as", get_units, 0, CHANGES),
        SD_BUS_PROPERTY("PodRobots", "as", get_pod_robots, 0, CHANGES),
        SD_BUS_PROPERTY("MinimumRemaining", "t", get_minimum_remaining, 0, CHANGES),
        SD_BUS_PROPERTY("OnExpiry", "s", get_on_expiry, 0, CHANGES),
        SD_BUS_PROPERTY("OnRemove", "s", get_on_remove, 0, CHANGES),
        SD_BUS_PROPERTY("TakeOver", "b", get_take_over, 0, CHANGES),
        SD_BUS_PROPERTY("WakeSystem", "b", get_wake_system, 0, CHANGES),
        SD_BUS_PROPERTY("ConfigurationFiles", "as", get_files, 0, CHANGES),
        SD_BUS_PROPERTY("ConfigurationMessages", "a(suss)", get_messages, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
        SD_BUS_PROPERTY("Reason", "s", get_failure_text, 0, CHANGES),
        SD_BUS_PROPERTY("Step", "s", get_failure_text, 0, CHANGES),
        SD_BUS_PROPERTY("Message", "s", get_failure_text, 0, CHANGES),
        SD_BUS_PROPERTY("RegistryWords", "s", get_failure_text, 0, CHANGES),
        SD_BUS_PROPERTY("Hint", "s", get_failure_text, 0, CHANGES),
        SD_BUS_PROPERTY("HTTPStatus", "u", get_http_status, 0, CHANGES),
        SD_BUS_PROPERTY("Notices", "as", get_notices, 0, CHANGES),
        SD_BUS_PROPERTY("AttemptsStarted", "t", NULL, offsetof(Job, attempts_started), CHANGES),
        SD_BUS_PROPERTY("AttemptsEnded", "t", NULL, offsetof(Job, attempts_ended), CHANGES),
        SD_BUS_PROPERTY("Refreshes", "t", NULL, offsetof(Job, refreshes), CHANGES),
        SD_BUS_PROPERTY("Failures", "t", NULL, offsetof(Job, failures), CHANGES),
        SD_BUS_PROPERTY("FailuresInARow", "u", get_failures, 0, CHANGES),
        SD_BUS_PROPERTY("LastAttempt", "t", NULL, offsetof(Job, last_attempt_real), CHANGES),
        SD_BUS_PROPERTY("LastSuccess", "t", NULL, offsetof(Job, last_success_real), CHANGES),
        SD_BUS_PROPERTY("NextAttempt", "t", get_next_attempt, 0, CHANGES),
        SD_BUS_PROPERTY("Issued", "t", get_issued, 0, CHANGES),
        SD_BUS_PROPERTY("Expires", "t", get_expires, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityIssuer", "s", get_claim_text, 0, CHANGES),
        SD_BUS_PROPERTY("IdentitySubject", "s", get_claim_text, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityAudience", "as", get_audience, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityAlgorithm", "s", get_claim_text, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityKeyID", "s", get_claim_text, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityIssued", "t", get_claim_time, 0, CHANGES),
        SD_BUS_PROPERTY("IdentityExpires", "t", get_claim_time, 0, CHANGES),
        SD_BUS_PROPERTY("ClockSkew", "x", NULL, offsetof(Job, skew_usec), CHANGES),
        SD_BUS_PROPERTY("TargetStates", "a(ssss)", get_target_states, 0, CHANGES),
        SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_NO_ARGS, SD_BUS_RESULT("t", attempt), method_refresh,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("Refreshed", SD_BUS_ARGS("t", expires), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Failed", SD_BUS_ARGS("s", reason, "s", step, "s", message), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Expired", SD_BUS_NO_ARGS, 0),
        SD_BUS_SIGNAL_WITH_ARGS("Withdrawn", SD_BUS_ARGS("as", targets), 0),
        SD_BUS_VTABLE_END,
};

const BusObject bus_job_object = {
        .path = BUS_JOB_PREFIX,
        .interface = BUS_JOB_INTERFACE,
        .vtable = vtable,
        .find = find_job,
        .enumerate = enumerate_jobs,
};

/* Which properties may have another value after a change of one kind. */
static const struct {
        JobChange what;
        const char *const *properties;
} changes[] = {
        { JOB_CHANGED_CONFIGURATION,
          (const char *const[]){ "Enabled", "Runtime", "Registry", "Exchange", "Robot", "Identity", "Scopes",
                                 "Targets", "Units", "PodRobots", "MinimumRemaining", "OnExpiry", "OnRemove",
                                 "TakeOver", "WakeSystem", "ConfigurationFiles", "ConfigurationMessages",
                                 NULL } },
        { JOB_CHANGED_STATE,
          (const char *const[]){ "State", "Reason", "Step", "Message", "RegistryWords", "Hint", "HTTPStatus",
                                 "Notices", "AttemptsStarted", "AttemptsEnded", "Refreshes", "Failures",
                                 "FailuresInARow", "LastAttempt", "LastSuccess", "NextAttempt", NULL } },
        { JOB_CHANGED_CREDENTIAL, (const char *const[]){ "Issued", "Expires", NULL } },
        { JOB_CHANGED_IDENTITY,
          (const char *const[]){ "IdentityIssuer", "IdentitySubject", "IdentityAudience",
                                 "IdentityAlgorithm", "IdentityKeyID", "IdentityIssued", "IdentityExpires",
                                 "ClockSkew", NULL } },
        { JOB_CHANGED_TARGETS, (const char *const[]){ "TargetStates", NULL } },
};

void bus_job_emit_changed(sd_bus *bus, Job *j, JobChange what) {
        const char *names[ELEMENTSOF(vtable) + 1];
        _cleanup_free_ char *path = NULL;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                if (what & changes[i].what)
                        for (const char *const *p = changes[i].properties; *p; p++)
                                names[n++] = *p;
        names[n] = NULL;
        if (bus_job_path(j, &path) >= 0)
                (void) sd_bus_emit_properties_changed_strv(bus, path, BUS_JOB_INTERFACE, (char **) names);
}

static void emit(sd_bus *bus, Job *j, const char *signal) {
        _cleanup_free_ char *path = NULL;

        if (bus_job_path(j, &path) >= 0)
                (void) sd_bus_emit_signal(bus, BUS_PATH, "org.pullauth1.Manager", signal, "so", j->name,
                                          path);
}

void bus_job_emit_added(sd_bus *bus, Job *j) {
        _cleanup_free_ char *path = NULL;

        if (bus_job_path(j, &path) >= 0)
                (void) sd_bus_emit_object_added(bus, path);
        emit(bus, j, "JobAdded");
}

void bus_job_emit_removed(sd_bus *bus, Job *j) {
        _cleanup_free_ char *path = NULL;

        emit(bus, j, "JobRemoved");
        if (bus_job_path(j, &path) >= 0)
                (void) sd_bus_emit_object_removed(bus, path);
}
