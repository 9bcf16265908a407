/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signals of a job that say what happened to it, as plain values. */

#include "base/macro.h"
#include "client/table.h"

typedef struct JobEvent {
        const char *name; /* static: "refreshed", "failed", "expired", "withdrawn" */
        char *path;       /* of the job's object */
        usec_t expires;
        char *reason, *step, *message;
        char **targets;
} JobEvent;

/* Returns 0, -ENOENT for a signal that is none of these, -EBADMSG and the like, -ENOMEM. */
int job_event_read(JobEvent *e, sd_bus_message *m);
void job_event_done(JobEvent *e);

/* What its arguments are, for JSON. NULL for a name that is none. */
const Property *job_event_properties(const char *name, size_t *ret_n);
