/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every source of identities offers: one row in a table of operations. A source knows its settings,
 * the event loop and HTTP; it knows no other source and no exchange. */

#include "base/failure.h"
#include "model/lint.h"
#include "model/request.h"
#include "worker/worker-context.h"

typedef struct SourceQuestion {
        const WorkerContext *context;
        const Request *request; /* settings, secrets and audience; lives as long as the run */
        usec_t timeout;         /* what is left of the request's; a source may be stricter */
        Answer *answer;         /* documents go here; before the handler is called */
} SourceQuestion;

/* Called exactly once unless the run is freed before, never from within start(). `r` is 0 with `token`, 1
 * with `failure` (both the handler's to keep), or a negative errno. The run may be freed inside the
 * handler. */
typedef void (*SourceHandler)(int r, Secret *token, Failure *failure, void *userdata);

typedef struct IdentitySourceType {
        const char *name;
        int (*start)(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run);
        void (*free)(void *run); /* cancels; accepts NULL */
        /* What to do at this source about a token that the registry would not take. NULL: what is said of
         * any token is as good. */
        const char *remedies[_LINT_FINDING_MAX];
} IdentitySourceType;
