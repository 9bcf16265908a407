/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "kubernetes": the API server of a cluster makes a token for a service account. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_kubernetes;
