/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What to do about what goes wrong at registries that are not asked as Quay is. Pure. */

#include "base/failure.h"

/* NULL: the usual hint of the reason says it well. */
const char *elsewhere_advise(Reason reason);
