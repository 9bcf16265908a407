/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon's side of the private door: a connection to the worker that is made when there is something to
 * ask and closed soon after, so that an idle worker can go. */

#include <systemd/sd-event.h>

#include "base/macro.h"
#include "model/request.h"

typedef struct WorkerLink WorkerLink;
typedef struct WorkerCall WorkerCall;

/* Called exactly once, never from within worker_call_new(), unless the call is freed before. `answer` is
 * what the worker said, or a failure about the worker itself (REASON_WORKER_UNAVAILABLE, REASON_TIMEOUT);
 * the handler may take things out of it. The call may be freed inside the handler. */
typedef void (*WorkerHandler)(WorkerCall *call, Answer *answer, void *userdata);

int worker_link_new(sd_event *event, const char *socket_path, WorkerLink **ret);
/* All calls must have been freed. */
WorkerLink *worker_link_free(WorkerLink *l);
DEFINE_CLEANUP(WorkerLink *, worker_link_free)

/* Queues a request; it is sent when fewer than a bounded number are under way. Consumes `request`, also on
 * failure. Returns 0 or -ENOMEM. */
int worker_call_new(WorkerLink *l, Request *request, WorkerHandler handler, void *userdata,
                    WorkerCall **ret);
/* Cancels at the worker if still under way. */
WorkerCall *worker_call_free(WorkerCall *c);
DEFINE_CLEANUP(WorkerCall *, worker_call_free)
