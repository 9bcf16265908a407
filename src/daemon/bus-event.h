/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What other services tell on the system bus that may end a job's wait. */

#include <systemd/sd-bus.h>

#include "daemon/bus-context.h"

/* Subscribes, for as long as the connection lives. `context` must outlive it. */
int bus_events_subscribe(sd_bus *bus, BusContext *context);
