/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Work that may block (a PKCS#11 module that talks to a device), done in a thread of its own. */

#include <pthread.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Background Background;

/* For what two threads must not use at a time: the jobs of one lane are done one after the other, in the
 * order in which they came. A job that is given up before its turn is never begun. To be of static storage,
 * for a thread may be at work when everything else is gone. */
typedef struct BackgroundLane {
        pthread_mutex_t lock;
        struct Shared *first; /* of those that wait */
        bool busy;            /* a thread is at it, and takes the next itself */
} BackgroundLane;

#define BACKGROUND_LANE_INIT \
        { .lock = PTHREAD_MUTEX_INITIALIZER, }

/* What is to be done. `work` runs in the thread, sees `data` alone and touches nothing else of this process;
 * `release` frees `data`, in either thread, once nobody needs it. */
typedef struct BackgroundJob {
        BackgroundLane *lane; /* NULL: at once, beside all others */
        int (*work)(void *data);
        void (*release)(void *data);
        void *data;
} BackgroundJob;

/* Called exactly once from the event loop, unless the Background is freed before: with what `work`
 * returned, and `data`, which belongs to the Background. */
typedef void (*BackgroundHandler)(int r, void *data, void *userdata);

/* Consumes `job->data`, also on failure. Returns 0 or a negative errno. */
int background_start(sd_event *event, const BackgroundJob *job, BackgroundHandler handler, void *userdata,
                     Background **ret);
/* Waits for nothing: work that is under way goes on unheard, and its data goes with it. */
Background *background_free(Background *b);
DEFINE_CLEANUP(Background *, background_free)
