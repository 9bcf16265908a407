/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Many moments on one timer of sd-event, which keeps a third of a KiB for each timer of its own: with ten
 * thousand jobs that is more than their credentials. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"

typedef struct Alarms Alarms;

/* A part of whoever waits, zeroed before its first use; stopped before it goes. */
typedef struct Alarm {
        Alarms *set; /* NULL: not set */
        usec_t at, latest;
        size_t place;
        void *userdata;
} Alarm;

/* Called from the event loop, one alarm at a time; the alarm is off by then. May set and stop any. */
typedef void (*AlarmHandler)(void *userdata);

/* `clock` is CLOCK_BOOTTIME or CLOCK_BOOTTIME_ALARM, which wakes the host; no timer is made before one is
 * needed. */
int alarms_new(sd_event *event, clockid_t clock, AlarmHandler handler, Alarms **ret);
/* All must have been stopped. */
Alarms *alarms_free(Alarms *s);
DEFINE_CLEANUP(Alarms *, alarms_free)

/* Goes off between `at` and so much later, on the boot clock; replaces what was set before. Returns 0, or
 * -ENOMEM or what the kernel said of the timer, and then what was set before stands. */
int alarm_set(Alarms *s, Alarm *a, usec_t at, usec_t accuracy, void *userdata);
void alarm_stop(Alarm *a);
