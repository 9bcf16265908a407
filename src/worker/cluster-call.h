/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The calls of Kubernetes' API about one Secret (v1): what is sent, and what the answers mean. Pure. */

#include "base/failure.h"
#include "worker/cluster-question.h"

const char *cluster_call_method(const ClusterCall *c);
const char *cluster_call_content_type(const ClusterCall *c);
/* Return 0 or -ENOMEM. There is no body to a CLUSTER_READ: *ret is NULL then. */
int cluster_call_url(const ClusterCall *c, char **ret);
int cluster_call_body(const ClusterCall *c, Secret **ret);

/* From an answer, or from that none came. *ret is what was found by a CLUSTER_READ, NULL if there is no such
 * Secret, and after all other actions. Returns 0; 1 with *reterr; -ENOMEM. */
int cluster_call_read(const ClusterCall *c, const HttpAnswer *a, ClusterSecret **ret, Failure **reterr);
