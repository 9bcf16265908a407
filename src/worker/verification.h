/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trying a new credential at the registry's own token endpoint, as container tools will. */

#include "io/http.h"
#include "model/request.h"

typedef struct Verification Verification;

typedef struct VerificationQuestion {
        Http *http;
        const Request *request;
        const Credential *credential;
        usec_t timeout; /* of each request */
        Answer *answer; /* notices go here */
} VerificationQuestion;

/* Called exactly once unless freed before, never from within verification_start(). `r` is 0 if the
 * credential is good or there was nowhere to try it, 1 with `failure` (the handler's to keep), or a
 * negative errno. The verification may be freed inside the handler. */
typedef void (*VerificationHandler)(int r, Failure *failure, void *userdata);

/* What `q` points to must live until the handler is called or the verification freed. */
int verification_start(const VerificationQuestion *q, VerificationHandler handler, void *userdata,
                       Verification **ret);
Verification *verification_free(Verification *v);
DEFINE_CLEANUP(Verification *, verification_free)
