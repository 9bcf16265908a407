/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "azure": a token of a managed identity of a machine in Azure. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_azure;
