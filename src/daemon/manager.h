/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager holds everything the daemon has: jobs, publisher, state store, link to the worker.
 *
 * It knows no bus. Whoever wants to be told of its life sets an observer. */

#include <systemd/sd-event.h>

#include "daemon/manager-jobs.h"
#include "daemon/manager-observer.h"
#include "model/configuration.h"

/* Allocates only. `root` is "" or the directory below which every path of the daemon lies. */
int manager_new(sd_event *event, const char *root, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free)

/* Set before manager_start(). */
void manager_set_observer(Manager *m, const ManagerObserver *observer);
/* Everything that can fail for outside reasons: opens state and fragments, loads configuration, starts
 * jobs. */
int manager_start(Manager *m);
/* Reads the files again and touches what they change. Returns 0 or an errno; the old configuration stays. */
int manager_reload(Manager *m);
/* The same for the files of one job, among all else as it was read last. Beside it touches jobs alone
 * that could not have a scope which it gave up. */
int manager_reload_job(Manager *m, const char *name);

/* What failed, in the job or in a target of it, is tried again as soon as on demand, and at its first
 * pace. */
void manager_reset_failed(Manager *m, Job *j);

Job *const *manager_jobs(const Manager *m, size_t *ret_n); /* sorted by name */
const Configuration *manager_configuration(const Manager *m);
const char *manager_root(const Manager *m);
/* Asks the worker beside what jobs ask: see worker_call_new(). */
int manager_ask(Manager *m, const WorkerClient *client, WorkerCall **ret);
const char *manager_target_path(const Manager *m, const char *target);
/* What there is to say of it beside failures, or NULL. */
const char *manager_target_note(const Manager *m, const char *target);
/* A deadline on the boot clock as people read it, CLOCK_REALTIME; 0 for none (0, USEC_INFINITY). */
usec_t manager_real_time(const Manager *m, usec_t boot);
bool manager_is_ready(const Manager *m);

typedef struct ManagerCounts {
        uint32_t n[_JOB_STATE_MAX];
        uint32_t all;
} ManagerCounts;
void manager_count(const Manager *m, ManagerCounts *ret);
