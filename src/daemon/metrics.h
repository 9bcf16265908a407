/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How all jobs stand, as OpenMetrics text. */

#include "daemon/manager.h"

/* Returns 0 or -ENOMEM. */
int metrics_render(const Manager *m, char **ret);
