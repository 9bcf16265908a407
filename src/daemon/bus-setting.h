/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of a job as callers send them: a{sv} and flags. */

#include "daemon/bus-request.h"
#include "model/job-edit.h"

typedef enum BusChangeFlags {
        BUS_CHANGE_RUNTIME = 1 << 0, /* until the next boot */
        _BUS_CHANGE_ALL = BUS_CHANGE_RUNTIME,
} BusChangeFlags;

/* The next argument, a{sv}: every key known, of its type, and a value that a file could have for it.
 * Returns 0, or a negative errno with *reterror set. */
int bus_read_settings(sd_bus_message *message, JobEdit *ret, sd_bus_error *reterror);
/* The next argument, t. */
int bus_read_change_flags(sd_bus_message *message, BusChangeFlags *ret, sd_bus_error *reterror);
