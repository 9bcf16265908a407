/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All that pullauthd shows, by two tables.
 *
 * Owns which properties there are. How they are read, cleaned and freed is for client/table; knows no
 * connection and prints nothing. A property that is missing leaves its empty value, but a job of a daemon
 * that knows no Enabled is enabled. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/snapshot.h"

#define JOB_INTERFACE "org.pullauth1.Job"

#define JOB(dbus, json_name, kind_of, member) \
        { .name = dbus, .json = json_name, .kind = kind_of, .offset = offsetof(JobSnapshot, member) }

#define JOB_ROWS(dbus, json_name, type, member)                                        \
        {                                                                              \
                .name = dbus, .json = json_name, .kind = PROPERTY_ROWS, .rows = &type, \
                .offset = offsetof(JobSnapshot, member)                                \
        }

static const Property job_properties[] = {
        JOB("Name", "name", PROPERTY_STRING, name),
        JOB("Registry", "registry", PROPERTY_STRING, registry),
        JOB("Robot", "robot", PROPERTY_STRING, robot),
        JOB("State", "state", PROPERTY_STRING, state),
        JOB("Reason", "reason", PROPERTY_STRING, reason),
        JOB("Expires", "expires", PROPERTY_TIME, expires),
        JOB("NextAttempt", "next_attempt", PROPERTY_TIME, next_attempt),
        JOB("Enabled", "enabled", PROPERTY_BOOL, enabled),
        JOB("Runtime", "runtime", PROPERTY_BOOL, runtime),
        JOB("Exchange", "exchange", PROPERTY_STRING, exchange),
        JOB("Identity", "identity", PROPERTY_STRING, identity),
        JOB("Scopes", "scopes", PROPERTY_STRINGS, scopes),
        JOB("Targets", "targets", PROPERTY_STRINGS, targets),
        JOB("Units", "units", PROPERTY_STRINGS, units),
        JOB("PodRobots", "pod_robots", PROPERTY_STRINGS, pod_robots),
        JOB("OnExpiry", "on_expiry", PROPERTY_STRING, on_expiry),
        JOB("OnRemove", "on_remove", PROPERTY_STRING, on_remove),
        JOB("MinimumRemaining", "minimum_remaining", PROPERTY_SPAN, minimum_remaining),
        JOB("TakeOver", "take_over", PROPERTY_BOOL, take_over),
        JOB("WakeSystem", "wake_system", PROPERTY_BOOL, wake_system),
        JOB("ConfigurationFiles", "configuration_files", PROPERTY_STRINGS, configuration_files),
        JOB_ROWS("ConfigurationMessages", "configuration_messages", shown_message_type,
                 configuration_messages),
        JOB("Step", "step", PROPERTY_STRING, step),
        JOB("Message", "message", PROPERTY_STRING, message),
        JOB("RegistryWords", "registry_words", PROPERTY_STRING, registry_words),
        JOB("Hint", "hint", PROPERTY_STRING, hint),
        JOB("HTTPStatus", "http_status", PROPERTY_U32, http_status),
        JOB("Notices", "notices", PROPERTY_STRINGS, notices),
        JOB("AttemptsStarted", "attempts_started", PROPERTY_U64, attempts_started),
        JOB("AttemptsEnded", "attempts_ended", PROPERTY_U64, attempts_ended),
        JOB("Refreshes", "refreshes", PROPERTY_U64, refreshes),
        JOB("Failures", "failures", PROPERTY_U64, failures),
        JOB("FailuresInARow", "failures_in_a_row", PROPERTY_U32, failures_in_a_row),
        JOB("LastAttempt", "last_attempt", PROPERTY_TIME, last_attempt),
        JOB("LastSuccess", "last_success", PROPERTY_TIME, last_success),
        JOB("Issued", "issued", PROPERTY_TIME, issued),
        JOB("IdentityIssuer", "identity_issuer", PROPERTY_STRING, identity_issuer),
        JOB("IdentitySubject", "identity_subject", PROPERTY_STRING, identity_subject),
        JOB("IdentityAudience", "identity_audience", PROPERTY_STRINGS, identity_audience),
        JOB("IdentityAlgorithm", "identity_algorithm", PROPERTY_STRING, identity_algorithm),
        JOB("IdentityKeyID", "identity_key_id", PROPERTY_STRING, identity_key_id),
        JOB("IdentityIssued", "identity_issued", PROPERTY_TIME, identity_issued),
        JOB("IdentityExpires", "identity_expires", PROPERTY_TIME, identity_expires),
        JOB_ROWS("TargetStates", "target_states", shown_target_type, target_states),
        JOB("ClockSkew", "clock_skew", PROPERTY_I64, clock_skew),
};

static const Property manager_properties[] = {
        { .name = "Version", .kind = PROPERTY_STRING, .offset = offsetof(Snapshot, version) },
        { .name = "Ready", .kind = PROPERTY_BOOL, .offset = offsetof(Snapshot, ready) },
        { .name = "ConfigurationMessages",
          .kind = PROPERTY_ROWS,
          .offset = offsetof(Snapshot, configuration_messages),
          .rows = &shown_message_type },
};

const Property *job_snapshot_properties(size_t *ret_n) {
        *ret_n = ELEMENTSOF(job_properties);
        return job_properties;
}

int job_snapshot_new(const char *path, JobSnapshot **ret) {
        _cleanup_(job_snapshot_freep) JobSnapshot *j = NULL;
        int r;

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        j->n_references = 1;
        j->enabled = true;
        r = table_init(j, job_properties, ELEMENTSOF(job_properties));
        if (r >= 0)
                r = free_and_strdup(&j->path, path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

JobSnapshot *job_snapshot_ref(const JobSnapshot *j) {
        JobSnapshot *own = (JobSnapshot *) j;

        own->n_references++;
        return own;
}

JobSnapshot *job_snapshot_free(JobSnapshot *j) {
        if (!j || --j->n_references > 0)
                return NULL;
        table_done(j, job_properties, ELEMENTSOF(job_properties));
        free(j->path);
        free(j);
        return NULL;
}

bool job_snapshot_is_of_quay(const JobSnapshot *j) {
        return isempty(j->exchange) || streq(j->exchange, "quay");
}

int snapshot_new(Snapshot **ret) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = table_init(s, manager_properties, ELEMENTSOF(manager_properties));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static void drop_jobs(Snapshot *s) {
        for (size_t i = 0; i < s->n_jobs; i++)
                job_snapshot_free(s->jobs[i]);
        free(s->jobs);
        s->jobs = NULL;
        s->n_jobs = 0;
}

Snapshot *snapshot_free(Snapshot *s) {
        if (!s)
                return NULL;
        table_done(s, manager_properties, ELEMENTSOF(manager_properties));
        drop_jobs(s);
        free(s);
        return NULL;
}

const JobSnapshot *snapshot_find(const Snapshot *s, const char *name) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (streq(s->jobs[i]->name, name))
                        return s->jobs[i];
        return NULL;
}

int job_snapshot_read(JobSnapshot *j, sd_bus_message *m) {
        return table_read(j, job_properties, ELEMENTSOF(job_properties), m);
}

int snapshot_read_manager(Snapshot *s, sd_bus_message *m) {
        return table_read(s, manager_properties, ELEMENTSOF(manager_properties), m);
}

static int add_job(Snapshot *s, const char *path, sd_bus_message *m) {
        _cleanup_(job_snapshot_freep) JobSnapshot *j = NULL;
        JobSnapshot **grown;
        int r;

        r = job_snapshot_new(path, &j);
        if (r >= 0)
                r = job_snapshot_read(j, m);
        if (r < 0)
                return r;
        grown = reallocarray(s->jobs, s->n_jobs + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        s->jobs = grown;
        s->jobs[s->n_jobs++] = TAKE_PTR(j);
        return 0;
}

/* At the path of one object: takes its interface of a job and skips the others. */
static int read_object(Snapshot *s, sd_bus_message *m) {
        const char *path, *interface;
        int r;

        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &interface);
                if (r >= 0)
                        r = streq(interface, JOB_INTERFACE) ? add_job(s, path, m)
                                                            : sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int compare_jobs(const void *a, const void *b) {
        const JobSnapshot *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

int snapshot_read_jobs(Snapshot *s, sd_bus_message *m) {
        int r;

        drop_jobs(s);
        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = read_object(s, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (s->n_jobs > 1)
                qsort(s->jobs, s->n_jobs, sizeof(*s->jobs), compare_jobs);
        return sd_bus_message_exit_container(m);
}
