/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon on the system bus: connection, name, objects, change signals. */

#include "daemon/bus-context.h"

typedef struct Bus Bus;

/* Connects when there is a bus, and again when it comes back. Returns 0 or a negative errno. */
int bus_new(sd_event *event, Manager *manager, const BusObserver *observer, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free)

/* What the manager's observer is to pass on. Signals are sent from the event loop, many changes in one. */
void bus_job_added(Bus *b, Job *j);
void bus_job_removed(Bus *b, Job *j);
void bus_job_changed(Bus *b, Job *j, JobChange what);
void bus_configuration_changed(Bus *b);
/* What these units read has changed. */
void bus_reload_units(Bus *b, char *const *units);
/* Those of them that were not told before the end. Returns 0 or -ENOMEM. */
int bus_pending_reloads(const Bus *b, char ***ret);
