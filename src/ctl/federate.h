/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* pullauth-federate, which asks the registry's API for this tool. */

#include "ctl/ctl.h"
#include "model/federation-request.h"

/* Runs it with the request and waits for its answer. Returns 0, or -1 after it was reported why there is
 * none. */
int federate_ask(Ctl *ctl, const FederationRequest *q, Federation *ret);
/* Says what went wrong and what to do. */
void federate_report(Ctl *ctl, const Failure *f);
