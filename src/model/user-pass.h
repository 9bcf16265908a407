/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "user:secret", the user-pass of RFC 7617 section 2, as it stands behind the base64 of auth.json. */

#include <stdbool.h>
#include <sys/uio.h>

#include "base/secret.h"

/* At the first colon, for a user has none. Both are borrowed from `user_pass`, neither ends with a NUL by
 * itself. Returns false if there is no colon; NULL is none, too. */
bool user_pass_split(const Secret *user_pass, struct iovec *ret_user, struct iovec *ret_secret);
/* Is it one of this user, whatever the secret? */
bool user_pass_is_of(const Secret *user_pass, const char *user);
