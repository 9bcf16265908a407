/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The private door on the wire: names, and Request/Answer as D-Bus values.
 *
 * Peer-to-peer sd-bus. Both sides treat what they read as foreign bytes: bounded, typed, checked. */

#include <systemd/sd-bus.h>

#include "model/request.h"

#define DOOR_PATH "/org/pullauth1/worker"
#define DOOR_INTERFACE "org.pullauth1.Worker"
/* Obtain(a{sv} request) → (a{sv} answer). Sensitive both ways. */
#define DOOR_OBTAIN "Obtain"
/* Cancel(t id): the reply of that Obtain is then an error org.pullauth1.Worker.Cancelled. Unknown ids are
 * fine: the request may just have ended. */
#define DOOR_CANCEL "Cancel"
#define DOOR_ERROR_CANCELLED "org.pullauth1.Worker.Cancelled"

#define DOOR_TOKEN_MAX (64 * 1024)
#define DOOR_CA_MAX (1024 * 1024)
#define DOOR_SETTINGS_MAX 64
#define DOOR_SECRETS_MAX 16

/* Append marks the message sensitive. Read copies everything out of the message.
 * Read returns 0, -EBADMSG for anything missing, malformed or out of bounds, -ENOMEM. Unknown dictionary
 * keys are skipped, for a worker may be older or newer than its daemon during an upgrade. */
int door_append_request(sd_bus_message *m, const Request *r);
int door_read_request(sd_bus_message *m, Request **ret);
int door_append_answer(sd_bus_message *m, const Answer *a);
int door_read_answer(sd_bus_message *m, Answer **ret);
