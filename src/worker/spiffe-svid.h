/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Chooses among the identities that a Workload API has for this workload. Pure. */

#include "base/failure.h"
#include "base/secret.h"
#include "worker/spiffe-wish.h"

/* `message` is a JWTSVIDResponse. Returns 0 with the token, 1 with *reterr, -ENOMEM. */
int spiffe_svid_choose(const SpiffeWish *w, const uint8_t *message, size_t size, Secret **ret,
                       Failure **reterr);
