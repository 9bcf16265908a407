/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request of the daemon about a Secret of a cluster, from its coming to its answer. */

#include "model/request.h"
#include "worker/worker-context.h"

typedef struct Cluster Cluster;

/* Called exactly once, never from within cluster_new(), unless the Cluster is freed before, which it may be
 * inside. The handler may take things out of `answer`; that is well or has a failure, and neither only if
 * there was no memory left for one. */
typedef void (*ClusterHandler)(Cluster *c, Answer *answer, void *userdata);

/* Consumes `request`, also on failure. Returns 0 or a negative errno. */
int cluster_new(const WorkerContext *context, Request *request, ClusterHandler handler, void *userdata,
                Cluster **ret);
/* Cancels if still under way. */
Cluster *cluster_free(Cluster *c);
DEFINE_CLEANUP(Cluster *, cluster_free)
