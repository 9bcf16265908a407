/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "gce": the identity token of an instance of Google Compute Engine. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_gce;
