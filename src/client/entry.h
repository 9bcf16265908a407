/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* User name and secret out of an auth.json, for protocols that want them apart. Pure. */

#include "base/secret.h"

typedef struct Entry {
        char *user;
        Secret *secret;
} Entry;

void entry_done(Entry *e);

/* The entry under this key, and no other. Returns 0, -EBADMSG if there is none or it is none, -ENOMEM. */
int entry_read(const Secret *auth_file, const char *key, Entry *ret);
