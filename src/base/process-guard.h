/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keeping the memory of a process that holds secrets to itself. */

#include "base/macro.h"

/* For the beginning of main() of daemon and worker: no core dumps, no ptrace and no look at our memory by
 * other processes of the same user. /proc/self/fd/N still opens for ourselves. Returns 0 or a negative
 * errno. */
int process_guard(void);
