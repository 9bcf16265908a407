/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the worker is asked for. */

#include "daemon/job-data.h"

/* For the worker, identity, exchange and verification together. Quay itself may take ten seconds to reach an
 * issuer that is slow. */
#define REQUEST_TIMEOUT (60 * USEC_PER_SEC)

/* All that the job's files say, and the files that they name, read anew. The job must have an identity.
 * Returns 0; 1 with *reterr_failure if one of these files cannot be had; -ENOMEM. */
int job_request_new(const Job *j, RequestKind kind, Request **ret, Failure **reterr_failure);
/* For another robot account at the registry of the job, by a token that somebody brought: the job's CA and
 * proxy, nothing of its identity. Returns as above. */
int job_request_new_for_token(const Job *j, const char *robot, const char *scope, const Secret *token,
                              Request **ret, Failure **reterr_failure);
