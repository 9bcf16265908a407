/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Randomness for jitter; nothing here is fit for keys. */

#include "base/macro.h"

/* Uniform over all of uint64_t; 0 when the kernel has none yet (early boot): no jitter is better than
 * waiting. */
uint64_t random_draw(void);
