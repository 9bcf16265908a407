/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pullauthd shows of itself at one moment, as plain values.
 *
 * The members of a job are its D-Bus properties (org.pullauth1(5)). One const table says how they are read,
 * freed and named in JSON, so that a property is added in one line. */

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/macro.h"
#include "client/answer.h"
#include "client/table.h"

/* No string is NULL; vectors may be. Times are µs of the real clock, 0 if there is none. */
typedef struct JobSnapshot {
        unsigned n_references;
        char *path; /* of the bus object */
        char *name, *registry, *exchange, *robot, *identity;
        int enabled, runtime; /* runtime: defined below /run, gone with the next boot */
        char **scopes, **targets, **units, **pod_robots, **configuration_files;
        char *on_expiry, *on_remove;
        usec_t minimum_remaining;
        int take_over, wake_system;
        ShownMessages configuration_messages;
        char *state, *reason, *step, *message, *registry_words, *hint;
        uint32_t http_status, failures_in_a_row;
        char **notices;
        uint64_t attempts_started, attempts_ended, refreshes, failures;
        usec_t last_attempt, last_success, issued, expires, next_attempt;
        char *identity_issuer, *identity_subject, *identity_algorithm, *identity_key_id;
        char **identity_audience;
        usec_t identity_issued, identity_expires;
        ShownTargets target_states;
        int64_t clock_skew;
} JobSnapshot;

typedef struct Snapshot {
        char *version;
        int ready;
        ShownMessages configuration_messages; /* that belong to no job */
        JobSnapshot **jobs;                   /* sorted by name */
        size_t n_jobs;
} Snapshot;

const Property *job_snapshot_properties(size_t *ret_n);

/* With empty strings in every place. */
int job_snapshot_new(const char *path, JobSnapshot **ret);
/* For whoever wants it to stay as it is: it is freed as often as there are references. */
JobSnapshot *job_snapshot_ref(const JobSnapshot *j);
JobSnapshot *job_snapshot_free(JobSnapshot *j);
DEFINE_CLEANUP(JobSnapshot *, job_snapshot_free)
/* Is its user a robot account of a Quay? Of a daemon that does not tell all are. */
bool job_snapshot_is_of_quay(const JobSnapshot *j);

int snapshot_new(Snapshot **ret);
Snapshot *snapshot_free(Snapshot *s);
DEFINE_CLEANUP(Snapshot *, snapshot_free)
/* NULL if there is none of that name. */
const JobSnapshot *snapshot_find(const Snapshot *s, const char *name);

/* Each reads from the current place of a message, as client/table.h says. */
int job_snapshot_read(JobSnapshot *j, sd_bus_message *m);  /* a{sv} */
int snapshot_read_manager(Snapshot *s, sd_bus_message *m); /* a{sv} */
int snapshot_read_jobs(Snapshot *s, sd_bus_message *m);    /* a{oa{sa{sv}}}, in place of what it had */
