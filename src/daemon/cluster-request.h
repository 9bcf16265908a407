/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the worker is asked for about a Secret of a cluster. */

#include "base/failure.h"
#include "model/request.h"
#include "model/target-config.h"

/* With what the files of the target hold that say how the cluster is reached, read anew. Consumes `secret`,
 * also on failure. Returns 0; 1 with *reterr_failure if one of them cannot be had; -ENOMEM. */
int cluster_request_new(const char *root, const TargetConfig *config, ClusterAction action,
                        ClusterSecret *secret, Request **ret, Failure **reterr_failure);

/* Whatever went wrong, it is the publication that failed, and no exchange mends it. Takes the failure as the
 * worker or the reading of a file has it. */
void cluster_failure_adopt(Failure *f);
