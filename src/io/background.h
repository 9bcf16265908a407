/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Work that may block (a PKCS#11 module that talks to a device), done in a thread of its own. */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Background Background;

/* What is to be done. `work` runs in the thread, sees `data` alone and touches nothing else of this process;
 * `release` frees `data`, in either thread, once nobody needs it. */
typedef struct BackgroundJob {
        int (*work)(void *data);
        void (*release)(void *data);
        void *data;
} BackgroundJob;

/* Called exactly once from the event loop, unless the Background is freed before: with what `work`
 * returned, and `data`, which belongs to the Background. */
typedef void (*BackgroundHandler)(int r, void *data, void *userdata);

/* Consumes `job->data`, also on failure. Returns 0 or a negative errno. */
int background_start(sd_event *event, const BackgroundJob *job, BackgroundHandler handler, void *userdata,
                     Background **ret);
/* Waits for nothing: work that is under way goes on unheard, and its data goes with it. */
Background *background_free(Background *b);
DEFINE_CLEANUP(Background *, background_free)
