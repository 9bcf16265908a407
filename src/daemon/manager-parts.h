/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager is made of: for the manager's own files alone. */

#include "daemon/adoption.h"
#include "daemon/manager-observer.h"
#include "daemon/publisher.h"
#include "daemon/state-store.h"
#include "daemon/worker-link.h"
#include "io/time-change.h"
#include "model/configuration.h"

typedef struct FileWatch FileWatch; /* manager-watch.c */

#define MANAGER_STATE_DIRECTORY "/var/lib/pullauth"

struct Manager {
        sd_event *event;
        char *root;
        ManagerObserver observer;
        Configuration *configuration;
        Alarms *attempts, *wakes, *ends;
        JobContext context;
        Adoption adoption;
        char **owed_reloads; /* units that the last process was still to have reloaded */
        StateStore *store;
        Publisher *publisher;
        Clusters *clusters;
        WorkerLink *worker;
        TimeChange *time_change;
        sd_event_source *save_timer, *ready_timer;
        Job **jobs; /* sorted by name */
        size_t n_jobs;
        size_t n_decided; /* the first so many are past their first attempt, until jobs come or go */
        FileWatch **watches;
        size_t n_watches;
        int64_t real_offset;  /* real clock minus boot clock */
        bool stray_fragments; /* one could not be removed */
        bool ready;
};
