/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of identity sources. */

#include "worker/identity/source.h"

/* NULL if there is no source of that name. */
const IdentitySourceType *identity_source_find(const char *name);
