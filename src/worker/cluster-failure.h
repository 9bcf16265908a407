/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What it means for a Secret of a cluster that the API server did not do what it was asked for: failures of
 * the publication step, with the remedy of each. Pure. All return 1 or -ENOMEM. */

#include "base/failure.h"
#include "worker/cluster-question.h"

/* No answer came. */
int cluster_failure_of_problem(const ClusterCall *c, const HttpAnswer *a, Failure **ret);
/* An answer came, and its status is not that of success. */
int cluster_failure_of_status(const ClusterCall *c, const HttpAnswer *a, Failure **ret);
/* Success, but of what is no API server, or of no Secret. */
int cluster_failure_of_body(const ClusterCall *c, const HttpAnswer *a, Failure **ret);
