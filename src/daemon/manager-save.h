/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager's memory for the next run. */

#include "daemon/manager-observer.h"

/* Makes the timer. */
int manager_save_open(Manager *m);
/* Notes what a restart must know of the job's credential, to be saved soon. */
void manager_record_job(Manager *m, const Job *j);
/* What is worth saving comes in bunches. */
void manager_save_soon(Manager *m);
/* Removes fragments of jobs that have no credential. With the next saving, if one could not be removed. */
void manager_sweep(Manager *m);
void manager_sweep_soon(Manager *m);
void manager_save_now(Manager *m);

/* At the end: units that have to be told that a target changed, in the place of those that are noted, among
 * which are some whose file could not be written. Returns 0 or -ENOMEM. */
int manager_note_reloads(Manager *m, char *const *units);
/* One was told. */
void manager_forget_reload(Manager *m, const char *unit);
/* Those that the last process owed, on this boot, and that a target names still; others are forgotten. */
int manager_find_reloads(Manager *m, char ***ret);
