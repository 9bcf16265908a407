/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pullauthd shows of itself at one moment, as plain values.
 *
 * The members of a job are its D-Bus properties (org.pullauth1(5)). One const table says how they are read,
 * freed and named in JSON, so that a property is added in one line. */

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/macro.h"

/* One line about configuration files. */
typedef struct ShownMessage {
        char *severity; /* "warning", "error" */
        uint32_t line;  /* 0: the file as a whole */
        char *file;
        char *text;
} ShownMessage;

typedef struct ShownMessages {
        ShownMessage *items;
        size_t n_items;
} ShownMessages;

typedef struct ShownTarget {
        char *target;
        char *path;
        char *state; /* "published", "withdrawn", "pending", "failed" */
        char *message;
} ShownTarget;

typedef struct ShownTargets {
        ShownTarget *items;
        size_t n_items;
} ShownTargets;

/* No string is NULL; vectors may be. Times are µs of the real clock, 0 if there is none. */
typedef struct JobSnapshot {
        char *path; /* of the bus object */
        char *name, *registry, *robot, *identity;
        char **scopes, **targets, **configuration_files;
        ShownMessages configuration_messages;
        char *state, *reason, *step, *message, *registry_words, *hint;
        uint32_t http_status, failures_in_a_row;
        char **notices;
        uint64_t attempts_started, attempts_ended, refreshes;
        usec_t last_attempt, last_success, issued, expires, next_attempt;
        char *identity_issuer, *identity_subject;
        char **identity_audience;
        usec_t identity_expires;
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

typedef enum PropertyKind {
        PROPERTY_STRING,   /* char* */
        PROPERTY_STRINGS,  /* char** */
        PROPERTY_BOOL,     /* int */
        PROPERTY_U32,      /* uint32_t */
        PROPERTY_U64,      /* uint64_t */
        PROPERTY_I64,      /* int64_t */
        PROPERTY_TIME,     /* usec_t */
        PROPERTY_MESSAGES, /* ShownMessages */
        PROPERTY_TARGETS,  /* ShownTargets */
        _PROPERTY_KIND_MAX,
        _PROPERTY_KIND_INVALID = -EINVAL,
} PropertyKind;

typedef struct Property {
        const char *name; /* on the bus */
        const char *json;
        PropertyKind kind;
        size_t offset;
} Property;

const Property *job_snapshot_properties(size_t *ret_n);

/* With empty strings in every place. */
int job_snapshot_new(const char *path, JobSnapshot **ret);
JobSnapshot *job_snapshot_free(JobSnapshot *j);
DEFINE_CLEANUP(JobSnapshot *, job_snapshot_free)

int snapshot_new(Snapshot **ret);
Snapshot *snapshot_free(Snapshot *s);
DEFINE_CLEANUP(Snapshot *, snapshot_free)
/* NULL if there is none of that name. */
const JobSnapshot *snapshot_find(const Snapshot *s, const char *name);

/* Each reads from the current place of a message. Texts are cleaned with text_clean(); properties that are
 * not known, or not of the type they should have, are left out. Return 0, -EBADMSG and other errors of
 * sd-bus, -ENOMEM. */
int job_snapshot_read(JobSnapshot *j, sd_bus_message *m);     /* a{sv} */
int snapshot_read_manager(Snapshot *s, sd_bus_message *m);    /* a{sv} */
int snapshot_read_jobs(Snapshot *s, sd_bus_message *m);       /* a{oa{sa{sv}}}, in place of what it had */
int shown_messages_read(ShownMessages *l, sd_bus_message *m); /* a(suss), likewise */
void shown_messages_done(ShownMessages *l);
bool shown_messages_have_error(const ShownMessages *l);
