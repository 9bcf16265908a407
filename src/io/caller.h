/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose message is this, and is he still there? For messages that cannot be answered at once.
 *
 * A message names a connection; the bus knows whose it is, and telling takes a round trip. While it is not
 * known, nobody can be held to a limit of his own, so what waits there is bounded in all, and whoever has
 * most of it makes room for others. */

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct Callers Callers; /* of one connection to a bus */
typedef struct Caller Caller;   /* of one message */

/* As many as wait for their uid to be told. */
#define CALLERS_UNKNOWN_MAX 512

typedef struct CallerHandlers {
        /* Told once, unless caller_new() could say it at once. `r` is 0: caller_uid() is known; -EBUSY: had
         * to make room for others; -ESRCH: the bus does not know either. The caller may be freed inside. */
        void (*settled)(int r, void *userdata);
        /* The connection is closed. The caller may be freed inside; nothing is told after it. */
        void (*gone)(void *userdata);
} CallerHandlers; /* neither may free the Callers */

int callers_new(sd_bus *bus, Callers **ret);
/* Every caller must have been freed. */
Callers *callers_free(Callers *c);
DEFINE_CLEANUP(Callers *, callers_free)

/* The sender of `m`, which must have one. Returns 1 if its uid is known at once, 0 if handlers->settled()
 * will be told, -EBUSY if too many wait already and nobody has more of them than this sender, or another
 * errno. `handlers` must live as long as the caller. */
int caller_new(Callers *c, sd_bus_message *m, const CallerHandlers *handlers, void *userdata, Caller **ret);
Caller *caller_free(Caller *c);
DEFINE_CLEANUP(Caller *, caller_free)
/* (uid_t) -1 while it is not known. */
uid_t caller_uid(const Caller *c);
