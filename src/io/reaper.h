/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of programs with all that they started: killed, and collected, at once or whenever they go. */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Reaper Reaper;

/* A program that runs, the leader of a session. A part of whoever started it, zeroed before. */
typedef struct Leader Leader;
struct Leader {
        pid_t pid; /* 0: it does not run, or was handed to reaper_end() */
        Leader *next;
};

/* With `adopt` this process becomes the one that orphans come to, and children that are there at this time
 * are left alone; without it the group of a program is all that is ended. SIGCHLD must be blocked in this
 * thread. Returns 0 or a negative errno. */
int reaper_new(sd_event *event, bool adopt, Reaper **ret);
/* No program may run. What has not gone by now stays, as a child of whoever comes after us. */
Reaper *reaper_free(Reaper *r);
DEFINE_CLEANUP(Reaper *, reaper_free)

void reaper_add(Reaper *r, Leader *l, pid_t pid);
/* Returns when all of it has gone; or after a moment, and then it is collected from the event loop when it
 * goes. */
void reaper_end(Reaper *r, Leader *l);
