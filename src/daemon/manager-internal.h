/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager is made of: for manager.c and manager-jobs.c alone. */

#include "daemon/adoption.h"
#include "daemon/manager.h"
#include "daemon/publisher.h"
#include "daemon/state-store.h"
#include "daemon/worker-link.h"
#include "io/time-change.h"

struct Manager {
        sd_event *event;
        char *root;
        ManagerObserver observer;
        Configuration *configuration;
        JobContext context;
        Adoption adoption;
        StateStore *store;
        Publisher *publisher;
        WorkerLink *worker;
        TimeChange *time_change;
        sd_event_source *save_timer, *ready_timer;
        Job **jobs; /* sorted by name */
        size_t n_jobs;
        int64_t real_offset; /* real clock minus boot clock */
        bool ready;
};

typedef enum ManagerApplyFlags {
        MANAGER_APPLY_AT_START = 1 << 0, /* the daemon just started: maybe with a whole site of others */
} ManagerApplyFlags;

/* Makes, changes and ends jobs so that they are what `configuration` defines, and keeps it (it is consumed, and
 * its job definitions are hollow from then on). Returns 0 or the last errno of a job that could not be had. */
int manager_apply(Manager *m, Configuration *configuration, ManagerApplyFlags flags);

/* Notes what a restart must know of the job's credential, to be saved soon. */
void manager_record_job(Manager *m, const Job *j);
void manager_save_soon(Manager *m);
void manager_check_ready(Manager *m);
