/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.pullauth1.Manager: the daemon as a whole. */

#include <systemd/sd-bus.h>

#include "daemon/bus-context.h"
#include "io/bus-object.h"

#define BUS_MANAGER_INTERFACE "org.pullauth1.Manager"

extern const BusObject bus_manager_object;

/* Tells what differs between the two counts, and the other two if they changed. */
void bus_manager_emit_changed(sd_bus *bus, const ManagerCounts *before, const ManagerCounts *now,
                              bool configuration_changed, bool ready_changed);
