/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units of the service manager: their names, patterns of these, and who asks for a credential of which of
 * them (LoadCredential= in systemd.exec(5)). Pure. */

#include "base/macro.h"

/* The names of units that have processes of their own: services, sockets, mounts, swaps. A template, which
 * is no unit itself, is none. */
bool unit_name_is_valid(const char *s);

/* A name in which "*" stands for any characters and "?" for any one, or "*" alone. Everything else means
 * itself, a backslash, too. */
bool unit_pattern_is_valid(const char *s);
bool unit_pattern_matches(const char *pattern, const char *unit);

typedef struct UnitPeer {
        char *unit;       /* "app.service" */
        char *credential; /* "auth.json" */
} UnitPeer;
void unit_peer_done(UnitPeer *p);

/* Reads the name of the socket that the service manager connects from: `size` bytes behind the address
 * family, as accept(2) returns them. Returns 0, -EINVAL for any other name, -ENOMEM. */
int unit_peer_parse(const void *name, size_t size, UnitPeer *ret);
