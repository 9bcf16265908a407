/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager hears of the world that may end a job's wait. */

#include "daemon/manager-observer.h"
#include "model/schedule.h"

/* Watches the files that the jobs of this moment need: token files, CA files. */
int manager_watch_files(Manager *m);
void manager_unwatch_files(Manager *m);

/* Something happened to all of them alike: the network came up, the host resumed, the clock was set. */
void manager_wake(Manager *m, WaitEvent event);
