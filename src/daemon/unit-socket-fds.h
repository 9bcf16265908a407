/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service manager passes on at the start: the socket for credentials of units, and connections of
 * it that a process before this one could not answer any more. */

#include <stddef.h>

#include "base/macro.h"

/* What the names of connections begin with that the service manager keeps for us. */
#define UNIT_SOCKET_CALL "credential-call-"

typedef struct UnitSocketFds {
        int listening; /* -EBADF: none */
        int *calls;
        char **names; /* of the calls */
        size_t n_calls;
} UnitSocketFds;

#define UNIT_SOCKET_FDS_NONE ((UnitSocketFds){ .listening = -EBADF })
/* Who waits is told that there is nothing. */
void unit_socket_fds_done(UnitSocketFds *f);

/* What else was passed on is complained about and closed. Once, before anybody else opens a descriptor.
 * Returns 0 or a negative errno. */
int unit_socket_fds_find(UnitSocketFds *ret);
