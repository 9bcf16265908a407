/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager tells of its life, to whoever shows it: the bus, the service manager. */

#include "daemon/job.h"
#include "model/target-config.h"

typedef struct Manager Manager;

typedef struct ManagerObserver {
        void (*job_added)(Job *job, void *userdata);
        void (*job_removed)(Job *job, void *userdata); /* still whole */
        void (*job_changed)(Job *job, JobChange what, void *userdata);
        void (*configuration_changed)(void *userdata);
        /* What tools read has changed. */
        void (*target_written)(const TargetConfig *target, void *userdata);
        /* Each job's first attempt has ended one way or the other, or has had its time. */
        void (*ready)(void *userdata);
        void *userdata;
} ManagerObserver;
