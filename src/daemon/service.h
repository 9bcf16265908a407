/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon as the service manager sees it: READY=1, STATUS=, RELOADING=1, STOPPING=1, WATCHDOG=1
 * (sd_notify(3)). */

#include <systemd/sd-event.h>

#include "daemon/manager.h"

typedef struct Service Service;

int service_new(sd_event *event, const Manager *manager, Service **ret);
Service *service_free(Service *s);
DEFINE_CLEANUP(Service *, service_free)

/* Once it is known how long the start may take. */
void service_starting(Service *s);
/* Ready is when first attempts are over and the bus name is ours (or does not come: a host without a bus is
 * not made to wait for one). */
void service_manager_ready(Service *s);
void service_bus_named(Service *s);
/* Something changed that the status line may show; sent from the event loop. */
void service_changed(Service *s);
void service_reloading(Service *s, bool begin);
void service_stopping(Service *s);

/* The service manager keeps `fd` and hands it to the next process of this service, should this one not end
 * well. Returns 0 or a negative errno. */
int service_hold(Service *s, int fd, const char *name);
/* No more. */
int service_release(Service *s, const char *name);

/* The status line: "2 jobs: 1 fresh, 1 retrying". */
int service_status_text(const ManagerCounts *counts, char **ret);
