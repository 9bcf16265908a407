/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "spiffe": the SPIFFE Workload API of this host's agent. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_spiffe;
