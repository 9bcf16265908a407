/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an identity wants of a SPIFFE Workload API. */

#include "base/clock.h"

typedef struct SpiffeWish {
        const char *socket;
        const char *audience;
        const char *spiffe_id, *hint; /* NULL: the only one there is */
        usec_t timeout;
} SpiffeWish;
