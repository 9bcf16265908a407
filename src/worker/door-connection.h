/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One connection through the private door, and the requests that came over it. */

#include "base/macro.h"
#include "worker/worker-context.h"

typedef struct DoorConnection DoorConnection;

/* Called once when the other side is gone; the connection must not be freed inside it. */
typedef void (*DoorClosedHandler)(void *userdata);

/* Consumes `fd`, also on failure. The peer has been checked by the caller. */
int door_connection_new(const WorkerContext *context, int fd, DoorClosedHandler closed, void *userdata,
                        DoorConnection **ret);
bool door_connection_is_closed(const DoorConnection *c);
/* Cancels everything that was asked over it. */
DoorConnection *door_connection_free(DoorConnection *c);
DEFINE_CLEANUP(DoorConnection *, door_connection_free)
