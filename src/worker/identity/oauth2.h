/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "oauth2": an OIDC issuer knows this host as a client. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_oauth2;
