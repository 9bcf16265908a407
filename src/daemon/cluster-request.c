/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a target in a cluster to a request for the worker.
 *
 * Owns how long the worker may take for one call of the API. Keeps nothing: tokens and kubeconfigs are read
 * each time, for they are renewed. */

#include <errno.h>

#include "daemon/cluster-request.h"
#include "daemon/local-secret.h"

#define TIMEOUT (30 * USEC_PER_SEC)

void cluster_failure_adopt(Failure *f) {
        if (f->step == STEP_PUBLICATION && failure_class(f) == FAILURE_PUBLISH)
                return;
        f->reason = f->step == STEP_IDENTITY || f->step == STEP_CONFIGURATION ? REASON_TARGET_REFUSED
                                                                              : REASON_TARGET_UNREACHABLE;
        f->step = STEP_PUBLICATION;
}

/* What is wrong with a file is said as of an identity's, but for what to do. Returns 1 or -ENOMEM. */
static int blame_target(const TargetConfig *config, Failure *f) {
        int r;

        cluster_failure_adopt(f);
        r = failure_set_hint(
                f,
                "Check the files that section [Kubernetes] of the target '%s' names: each has to be a "
                "regular file of root that nobody else can write, or a credential of pullauthd.service",
                config->name);
        return r < 0 ? r : 1;
}

int cluster_request_new(const char *root, const TargetConfig *config, ClusterAction action,
                        ClusterSecret *secret, Request **ret, Failure **reterr_failure) {
        _cleanup_(cluster_secret_freep) ClusterSecret *owned = secret;
        _cleanup_request_ Request *q = NULL;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->kind = REQUEST_CLUSTER;
        q->action = action;
        q->cluster = TAKE_PTR(owned);
        q->timeout = TIMEOUT;
        r = local_identity_read(root, config->cluster->access, q, reterr_failure);
        if (r > 0)
                return blame_target(config, *reterr_failure);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}
