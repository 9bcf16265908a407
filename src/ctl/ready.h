/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting until jobs have their credentials, for the commands that end with that. */

#include "ctl/ctl.h"

/* Waits, for as long as --timeout= says, until each of these jobs has its credential in its targets, or
 * cannot have it as things are; NULL: all that are enabled. Shows how they stand then, and notes a status.
 * Returns 0, or -1 after reporting that nothing could be found out. */
int ready_wait(Ctl *ctl, char *const *names);
