/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon on the system bus: connection, name, objects, change signals. */

#include <systemd/sd-bus.h>

#include "daemon/manager.h"
#include "io/authorize.h"

#define BUS_NAME "org.pullauth1"
#define BUS_PATH "/org/pullauth1"
#define BUS_JOB_PREFIX "/org/pullauth1/job"

typedef struct Bus Bus;

typedef struct BusObserver {
        void (*named)(void *userdata);          /* the name is ours, callers can come */
        void (*reload)(bool begin, void *userdata); /* around a reload that a caller asked for */
        void *userdata;
} BusObserver;

/* Connects when there is a bus, and again when it comes back. Returns 0 or a negative errno. */
int bus_new(sd_event *event, Manager *manager, const BusObserver *observer, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free)

/* What the manager's observer is to pass on. Signals are sent from the event loop, many changes in one. */
void bus_job_added(Bus *b, Job *j);
void bus_job_removed(Bus *b, Job *j);
void bus_job_changed(Bus *b, Job *j, JobChange what);
void bus_configuration_changed(Bus *b);

/* For the object tables: bus-manager.c, bus-job.c. */
Manager *bus_manager(const Bus *b);
Authorizer *bus_authorizer(const Bus *b);
const BusObserver *bus_observer(const Bus *b);
