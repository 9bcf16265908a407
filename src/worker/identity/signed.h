/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "signed": this host is its own issuer and signs its tokens itself. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_signed;
