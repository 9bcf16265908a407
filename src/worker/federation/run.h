/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking at the federation of a robot account, and setting it. */

#include "base/failure.h"
#include "io/http.h"
#include "model/federation-request.h"

typedef struct FederationRun FederationRun;

/* Called once. `r` is 0 with the federation as it stands at the end, 1 with a failure, -ENOMEM. Both are the
 * handler's to free. The run may be freed inside. */
typedef void (*FederationHandler)(int r, Federation *federation, Failure *failure, void *userdata);

/* `q` and `http` must live as long as the run. Returns 0, -EINVAL for a registry that makes no URL, or
 * -ENOMEM. */
int federation_run_new(Http *http, const FederationRequest *q, FederationHandler handler, void *userdata,
                       FederationRun **ret);
/* Cancels. Returns NULL. */
FederationRun *federation_run_free(FederationRun *x);
DEFINE_CLEANUP(FederationRun *, federation_run_free)
