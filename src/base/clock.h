/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two clocks of this project, in microseconds.
 *
 * Delays and deadlines live on the boot clock (CLOCK_BOOTTIME: counts suspend, never steps); the real
 * clock is for people, for state files, and for what a token says of itself. */

#include "base/macro.h"

typedef uint64_t usec_t;

#define USEC_INFINITY UINT64_MAX
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

usec_t now_boot(void);
usec_t now_real(void);

/* Saturating arithmetic: never wraps, USEC_INFINITY stays USEC_INFINITY (as minuend and summand). */
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_sub(usec_t a, usec_t b);
