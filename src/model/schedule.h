/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When to try next. Pure: time and randomness come as arguments.
 *
 * After a success: the last point of a grid (period 65 % of the token's life, phase fixed per host and job)
 * not later than 80 % of its life. After a failure: the pace of its class. */

#include "base/clock.h"
#include "base/failure.h"
#include "base/hash.h"

/* A phase in [0, 2^64) from host id, install salt and job name. */
uint64_t schedule_phase(const uint8_t host[static 16], const uint8_t *salt, size_t salt_size, const char *job);

/* Due time on the boot clock of a token obtained at `obtained` that lives `lifetime`; `minimum_remaining`
 * (0: a third of the life) must be left at the latest. The grid stands on the boot clock.
 * Always obtained < result <= obtained + lifetime - minimum, and never before obtained + 5 % of life unless
 * the minimum demands it. */
usec_t schedule_due(uint64_t phase, usec_t obtained, usec_t lifetime, usec_t minimum_remaining);

/* The pace of one job's failures. Zero-initialised at start and after a published credential. */
typedef struct Pace {
        FailureClass class;
        unsigned n; /* failures of this class in a row */
} Pace;

/* Notes a failure and returns the delay before the next attempt. `remaining` is what is left of the standing
 * credential's life (0: none). `retry_after` only counts for FAILURE_RATE_LIMIT. `random` is uniform. */
usec_t pace_next(Pace *p, FailureClass class, usec_t retry_after, usec_t remaining, uint64_t random);
