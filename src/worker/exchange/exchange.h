/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every kind of exchange offers: one row in a table of operations. An exchange turns a JWT into a
 * credential and knows no source of identities. */

#include "codec/jwt.h"
#include "io/http.h"
#include "model/lint.h"
#include "model/request.h"
#include "worker/worker-context.h"

typedef struct ExchangeQuestion {
        const WorkerContext *context;
        Http *http;             /* to the registry */
        const Request *request; /* registry, robot; these and what follows live as long as the run */
        const Secret *token;    /* the JWT, linted */
        const JwtClaims *claims;
        usec_t timeout; /* of each request */
        Answer *answer; /* notices and skew go here */
} ExchangeQuestion;

/* Called exactly once unless the run is freed before, never from within start(). `r` is 0 with
 * `credential`, 1 with `failure` (both the handler's to keep), or a negative errno. The run may be freed
 * inside the handler. */
typedef void (*ExchangeHandler)(int r, Credential *credential, Failure *failure, void *userdata);

typedef struct Exchange {
        const char *name;
        const char *giver; /* of the credential, for people; NULL: the registry */
        LintUse use;       /* what the JWT must have */
        /* What to do about a failure of this exchange or of the verification behind it, or NULL for the
         * usual; the member itself may be NULL. */
        const char *(*advise)(Reason reason);
        int (*start)(const ExchangeQuestion *q, ExchangeHandler handler, void *userdata, void **ret_run);
        void (*free)(void *run); /* cancels; accepts NULL */
} Exchange;
