/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists that methods answer, row by row. No string is NULL. */

#include "base/macro.h"

typedef struct Attempt {
        char *name; /* of the job */
        uint64_t number;
} Attempt;

typedef struct Attempts {
        Attempt *items;
        size_t n_items;
} Attempts;

/* How a job stood when waiting for it was over. */
typedef struct Awaited {
        char *name, *state, *reason;
} Awaited;

typedef struct AwaitedJobs {
        Awaited *items;
        size_t n_items;
} AwaitedJobs;

/* A registry that a credential can be had for without naming more than its host. */
typedef struct ServedRegistry {
        char *registry, *job, *user;
} ServedRegistry;

typedef struct ServedRegistries {
        ServedRegistry *items;
        size_t n_items;
} ServedRegistries;
