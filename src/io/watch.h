/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells when the file that a path names may have become another one, or one at all, or none. */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Watch Watch;
typedef void (*WatchHandler)(void *userdata);

/* `path` is absolute; nothing of it need exist. Directories are watched, never the file's inode, along
 * every link on the way: projected tokens are replaced by swapping a link to a directory. Changes that
 * come in a bunch are told once, a few milliseconds later; files that are being written when they are
 * closed. Returns 0 or a negative errno; a place that cannot be watched is no error, for its parents are. */
int watch_new(sd_event *event, const char *path, WatchHandler handler, void *userdata, Watch **ret);
/* The same for a file in a home: its last `in_home` bytes name what its user can exchange at any moment.
 * From there on no link is followed, no other file system is entered, and none is asked for anything. */
int watch_new_in_home(sd_event *event, const char *path, size_t in_home, WatchHandler handler,
                      void *userdata, Watch **ret);
Watch *watch_free(Watch *w);
DEFINE_CLEANUP(Watch *, watch_free)
