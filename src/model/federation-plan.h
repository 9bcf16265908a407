/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to become of a federation: entry by entry, to be shown before it is done. Pure. */

#include "model/federation.h"

typedef enum FederationChange {
        FEDERATION_KEPT,
        FEDERATION_ADDED,
        FEDERATION_CHANGED, /* it takes an audience more */
        FEDERATION_REMOVED,
        _FEDERATION_CHANGE_MAX,
        _FEDERATION_CHANGE_INVALID = -EINVAL,
} FederationChange;

/* "kept", "added" … */
const char *federation_change_to_string(FederationChange c);

typedef enum FederationPlanFlags {
        FEDERATION_REPLACE = 1 << 0, /* no entry but ours stays */
} FederationPlanFlags;

typedef struct FederationPlan {
        Federation entries;        /* all that are there or will be, removed ones too */
        FederationChange *changes; /* one for each */
        bool differs;              /* something is to be done */
        bool forgets;              /* ... and an entry that stays has audiences, which Quay would forget */
} FederationPlan;

void federation_plan_done(FederationPlan *p);
/* How `present` becomes a federation that takes tokens like `own`. Returns 0 or -ENOMEM. */
int federation_plan_make(const Federation *present, const FederationEntry *own, FederationPlanFlags flags,
                         FederationPlan *ret);
/* The federation as it is to be. Returns 0 or -ENOMEM. */
int federation_plan_result(const FederationPlan *p, Federation *ret);
