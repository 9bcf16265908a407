/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked of a SPIFFE Workload API, and what its answer means. Pure. */

#include "base/failure.h"
#include "io/http-value.h"
#include "worker/spiffe-wish.h"

/* The body of the request. Returns 0 or -ENOMEM. */
int spiffe_request(const SpiffeWish *w, void **ret, size_t *ret_size);

/* Returns 0 with the token, 1 with *reterr, -ENOMEM. */
int spiffe_answer(const SpiffeWish *w, const HttpAnswer *a, Secret **ret, Failure **reterr);
