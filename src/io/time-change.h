/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tells when the real clock was set (timerfd with TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct TimeChange TimeChange;
typedef void (*TimeChangeHandler)(void *userdata);

int time_change_new(sd_event *event, TimeChangeHandler handler, void *userdata, TimeChange **ret);
TimeChange *time_change_free(TimeChange *t);
DEFINE_CLEANUP(TimeChange *, time_change_free)
