/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket where the service manager asks for credentials of units, pullauth-credential.socket. */

#include <systemd/sd-event.h>

#include "daemon/manager.h"
#include "daemon/service.h"
#include "daemon/unit-socket-fds.h"

typedef struct UnitSocket UnitSocket;

/* Takes over `fds`, of which one listens, also on failure. */
int unit_socket_new(sd_event *event, const Manager *manager, Service *service, UnitSocketFds *fds,
                    UnitSocket **ret);
/* Who still waits gets what there is. */
UnitSocket *unit_socket_free(UnitSocket *s);
DEFINE_CLEANUP(UnitSocket *, unit_socket_free)

/* What somebody waits for may have come; looked at from the event loop. `s` may be NULL. */
void unit_socket_changed(UnitSocket *s);
