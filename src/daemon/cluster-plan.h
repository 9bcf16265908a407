/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a Secret as it was found in a cluster and what jobs want of it to what has to be done. */

#include "daemon/state-store.h"
#include "daemon/target-plan.h"
#include "model/cluster-secret.h"
#include "model/target-config.h"

typedef struct ClusterView {
        StateStore *store;
        const TargetConfig *config;
        const char *owner, *host;   /* this host: its id, and what people call it */
        const ClusterSecret *found; /* NULL: there is none */
        bool leaving;               /* the target went: what is still wanted is kept, and nothing else */
        bool first;                 /* nobody knows yet what is left of an earlier configuration */
} ClusterView;

typedef struct ClusterPlan {
        ClusterAction action;  /* CLUSTER_READ: nothing has to be done */
        ClusterSecret *secret; /* what to do it with */
        char **removed;        /* keys that stop being ours once it is done */
} ClusterPlan;

void cluster_plan_done(ClusterPlan *p);

/* What is asked for of the Secret, and what it is made with but for its content. Returns 0 or -ENOMEM. */
int cluster_secret_wanted(const ClusterView *v, ClusterSecret **ret);
/* Notes in the store which keys are going to be ours. Sets wanted[i].failure where a key is somebody else's,
 * and takes wanted[i].left back where nothing was left.
 * Returns 0; 1 with *reterr if the Secret as a whole cannot be had; -ENOMEM. */
int cluster_plan_make(const ClusterView *v, Wanted *wanted, size_t n_wanted, ClusterPlan *ret,
                      Failure **reterr);
/* The content that a Secret would have that is ours as a whole. Returns 0, or a negative errno. */
int cluster_plan_preview(StateStore *store, const TargetConfig *config, Wanted *wanted, size_t n_wanted,
                         Secret **ret);
