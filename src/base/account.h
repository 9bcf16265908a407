/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Users and groups of this host, by name or by number, as the name service knows them. */

#include <sys/types.h>

#include "base/macro.h"

typedef struct Account {
        uid_t uid;
        gid_t gid;  /* of a number that nobody has a name for: root's */
        char *home; /* absolute, or NULL */
} Account;

void account_done(Account *a);

/* Return 0, -ENOENT if there is none, -ENOMEM, or what the name service said. */
int account_find(const char *user, Account *ret);
int account_find_group(const char *group, gid_t *ret);
