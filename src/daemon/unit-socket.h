/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket where the service manager asks for credentials of units, pullauth-credential.socket. */

#include <systemd/sd-event.h>

#include "daemon/manager.h"

typedef struct UnitSocket UnitSocket;

/* The socket, if the service manager passed one on. Returns 1 with it, or 0; what else it passed is
 * complained about and closed. Once, before anybody else opens a descriptor. */
int unit_socket_find(int *ret_fd);

/* `fd` is consumed, also on failure. */
int unit_socket_new(sd_event *event, const Manager *manager, int fd, UnitSocket **ret);
/* Who still waits gets what there is. */
UnitSocket *unit_socket_free(UnitSocket *s);
DEFINE_CLEANUP(UnitSocket *, unit_socket_free)

/* What somebody waits for may have come; looked at from the event loop. `s` may be NULL. */
void unit_socket_changed(UnitSocket *s);
