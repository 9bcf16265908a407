/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.pullauth1.Job: one object for each job. */

#include <systemd/sd-bus.h>

#include "daemon/bus-context.h"
#include "io/bus-object.h"

#define BUS_JOB_INTERFACE "org.pullauth1.Job"

extern const BusObject bus_job_object;

/* Returns 0 or -ENOMEM. */
int bus_job_path(const Job *j, char **ret);
void bus_job_emit_added(sd_bus *bus, Job *j);
/* The job must still be found by its name. */
void bus_job_emit_removed(sd_bus *bus, Job *j);
/* When the credential that is held ends, on the real clock; 0 if there is none. */
uint64_t bus_job_expires(const BusContext *b, const Job *j);
/* Are there units that are told when a target of it changed? */
bool bus_job_tells_units(const BusContext *b, const Job *j);
void bus_job_emit_changed(sd_bus *bus, Job *j, JobChange what);

/* What Job.Refresh and Manager.RefreshJob do once the caller was found to have the right. Returns 1 with the
 * attempt's number, or sets the error. */
int bus_job_refresh(Job *j, uint64_t *ret_attempt, sd_bus_error *reterror);
