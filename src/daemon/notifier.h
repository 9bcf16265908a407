/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to the service manager (sd_notify(3)) that never wait for it to read them. */

#include <systemd/sd-event.h>

#include "base/macro.h"

/* What can be told, in the order in which it may arrive. Of each the latest is kept until it can be sent. */
typedef enum NotifySlot {
        NOTIFY_PATIENCE,
        NOTIFY_STARTED,
        NOTIFY_RELOADING, /* a reload that was over is not any more: takes NOTIFY_RELOADED back */
        NOTIFY_RELOADED,
        NOTIFY_STATUS,
        NOTIFY_ALIVE,
        NOTIFY_STOPPING,
        _NOTIFY_SLOT_MAX,
        _NOTIFY_SLOT_INVALID = -EINVAL,
} NotifySlot;

typedef struct Notifier Notifier;

/* Feeds the watchdog too, if there is one. */
int notifier_new(sd_event *event, Notifier **ret);
Notifier *notifier_free(Notifier *n);
DEFINE_CLEANUP(Notifier *, notifier_free)

/* Sent at once if nothing stands before it, otherwise from the event loop. */
void notifier_tell(Notifier *n, NotifySlot slot, const char *format, ...) _printf_(3, 4);
/* At once or never, and perhaps with a descriptor. Returns 0, also if there is no service manager, or a
 * negative errno. */
int notifier_pass(Notifier *n, int fd, const char *text);
