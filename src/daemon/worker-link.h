/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon's side of the private door: a connection to the worker that is made when there is something to
 * ask and closed soon after, so that an idle worker can go. */

#include <systemd/sd-event.h>

#include "base/macro.h"
#include "model/request.h"

typedef struct WorkerLink WorkerLink;
typedef struct WorkerCall WorkerCall;

/* Who asks. */
typedef struct WorkerClient {
        /* Makes the request once its turn has come, so that it holds what is true then, and a thousand that
         * wait hold nothing. Returns 0; 1 with *reterr_failure, which is the answer then; -ENOMEM. */
        int (*request)(void *userdata, Request **ret, Failure **reterr_failure);
        /* Called exactly once, never from within worker_call_new(), unless the call is freed before.
         * `answer` is what the worker said, or a failure about the worker itself (REASON_WORKER_UNAVAILABLE,
         * REASON_TIMEOUT); the handler may take things out of it. The call may be freed inside. */
        void (*answer)(WorkerCall *call, Answer *answer, void *userdata);
        void *userdata;
} WorkerClient;

/* Everybody who asked has been answered, and nobody waits for a turn. */
typedef void (*WorkerIdleHandler)(void *userdata);

int worker_link_new(sd_event *event, const char *socket_path, WorkerIdleHandler idle, void *userdata,
                    WorkerLink **ret);
/* All calls must have been freed. */
WorkerLink *worker_link_free(WorkerLink *l);
DEFINE_CLEANUP(WorkerLink *, worker_link_free)

/* Queues a request; its turn comes when fewer than a bounded number are under way. Returns 0 or -ENOMEM. */
int worker_call_new(WorkerLink *l, const WorkerClient *client, WorkerCall **ret);
/* Cancels at the worker if still under way. */
WorkerCall *worker_call_free(WorkerCall *c);
DEFINE_CLEANUP(WorkerCall *, worker_call_free)
