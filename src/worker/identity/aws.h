/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "aws": a token that AWS issues to the role of an instance. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_aws;
