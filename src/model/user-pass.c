/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two halves of a user-pass.
 *
 * Owns where one ends and the other begins. Copies neither, for one of them is a secret; does not ask
 * whether a user can have that name. */

#include <string.h>

#include "model/user-pass.h"

bool user_pass_split(const Secret *user_pass, struct iovec *ret_user, struct iovec *ret_secret) {
        struct iovec all = secret_peek(user_pass);
        char *colon = all.iov_len > 0 ? memchr(all.iov_base, ':', all.iov_len) : NULL;
        size_t n;

        if (!colon)
                return false;
        n = (size_t) (colon - (char *) all.iov_base);
        *ret_user = (struct iovec){ .iov_base = all.iov_base, .iov_len = n };
        *ret_secret = (struct iovec){ .iov_base = colon + 1, .iov_len = all.iov_len - n - 1 };
        return true;
}

bool user_pass_is_of(const Secret *user_pass, const char *user) {
        struct iovec its, secret;

        return user_pass_split(user_pass, &its, &secret) && its.iov_len == strlen(user) &&
               memcmp(its.iov_base, user, its.iov_len) == 0;
}
