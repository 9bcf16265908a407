/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The worker's side of the private door: connections, calls, and the moment to go. */

#include "base/clock.h"
#include "base/macro.h"
#include "worker/worker-context.h"

typedef struct DoorServer DoorServer;

/* Serves a listening unix stream socket, which stays its owner's. When there has been no connection for
 * `idle`, and none waits in the socket's queue, the event loop is told to exit with 0. USEC_INFINITY for
 * `idle`: never. */
int door_server_new(const WorkerContext *context, int listen_fd, usec_t idle, DoorServer **ret);
DoorServer *door_server_free(DoorServer *s);
DEFINE_CLEANUP(DoorServer *, door_server_free)
