/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request of the daemon from its coming to its answer. */

#include "model/request.h"
#include "worker/worker-context.h"

typedef struct Obtain Obtain;

/* Called exactly once, never from within obtain_new(), unless the Obtain is freed before. The handler may
 * take things out of `answer`, which has a credential or a failure; both are missing only if there was no
 * memory left for a failure. The Obtain may be freed inside the handler. */
typedef void (*ObtainHandler)(Obtain *o, Answer *answer, void *userdata);

/* Consumes `request`, also on failure. Returns 0 or a negative errno. */
int obtain_new(const WorkerContext *context, Request *request, ObtainHandler handler, void *userdata,
               Obtain **ret);
/* Cancels if still under way. */
Obtain *obtain_free(Obtain *o);
DEFINE_CLEANUP(Obtain *, obtain_free)
