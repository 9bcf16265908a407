/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Did you mean …?" Pure. */

#include "base/macro.h"

/* The names that `name` was probably meant to be, nearest first, at most `max`: those that differ in a third
 * of its letters or less (a swap of neighbours counts as one), or begin with it. Returns 0 (also when there
 * are none) or -ENOMEM. */
int near_names(const char *name, char *const *names, size_t max, char ***ret);
