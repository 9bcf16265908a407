/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Quay's API for the federation of robot accounts answers, and what it means. Pure. */

#include "base/failure.h"
#include "io/http-value.h"
#include "model/federation-request.h"

/* "https://HOST/api/v1/organization/ORG/robots/SHORT/federation" */
int federation_url(const FederationRequest *q, char **ret);

/* Any answer to a GET or POST there, or none. Returns 0 with *ret, 1 with *reterr, -ENOMEM. */
int federation_answer_judge(const FederationRequest *q, const HttpAnswer *a, Federation *ret,
                            Failure **reterr);

/* Failures of what came between two answers. Return 1 with *reterr, or -ENOMEM. */
int federation_changed_meanwhile(const FederationRequest *q, Failure **reterr);
int federation_not_kept(const FederationRequest *q, Failure **reterr);
/* Behind a request to write a failure may leave open what became of it, and then says so. With `taken` the
 * registry took it before. Returns 0 or -ENOMEM. */
int federation_leave_open(Failure *f, bool taken);
