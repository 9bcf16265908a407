/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all requests of this worker share. Owned by main(), and outlives them. */

#include <systemd/sd-event.h>

#include "io/process.h"
#include "worker/http-pool.h"

typedef struct WorkerContext {
        sd_event *event;
        HttpPool *pool;
        Processes *processes;
} WorkerContext;
