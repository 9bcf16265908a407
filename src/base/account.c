/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks up users and groups. Owns nothing between two calls: whoever is asked for may come or go.
 *
 * Asks the name service of the C library, which blocks where accounts are on a server that does not answer;
 * so it is asked when a file is made, not for each one that is looked at. */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/scalar.h"
#include "base/text.h"

#define BUFFER_MIN 1024
#define BUFFER_MAX (1024 * 1024)

void account_done(Account *a) {
        free(a->home);
        *a = (Account){};
}

/* getpwnam_r(3) and its kin say 0 or ENOENT and the like when there is nobody. */
static int result(int error, const void *found) {
        if (found)
                return 0;
        return error == 0 || error == ESRCH || error == EBADF || error == EPERM ? -ENOENT : -error;
}

static bool is_number(const char *s, uint64_t *ret) {
        return parse_u64(s, 0, UINT32_MAX - 1, ret) >= 0;
}

int account_find(const char *user, Account *ret) {
        struct passwd entry, *found = NULL;
        uint64_t number;
        bool by_number = is_number(user, &number);

        for (size_t size = BUFFER_MIN; size <= BUFFER_MAX; size *= 2) {
                _cleanup_free_ char *buffer = malloc(size);
                int k;

                if (!buffer)
                        return -ENOMEM;
                k = by_number ? getpwuid_r((uid_t) number, &entry, buffer, size, &found)
                              : getpwnam_r(user, &entry, buffer, size, &found);
                if (k == ERANGE)
                        continue;
                if (!found && by_number) {
                        *ret = (Account){ .uid = (uid_t) number };
                        return 0;
                }
                if (!found)
                        return result(k, found);
                *ret = (Account){ .uid = entry.pw_uid, .gid = entry.pw_gid };
                if (entry.pw_dir && entry.pw_dir[0] == '/') {
                        ret->home = strdup(entry.pw_dir);
                        if (!ret->home)
                                return -ENOMEM;
                }
                return 0;
        }
        return -ERANGE;
}

int account_find_group(const char *group, gid_t *ret) {
        struct group entry, *found = NULL;
        uint64_t number;

        if (is_number(group, &number)) {
                *ret = (gid_t) number;
                return 0;
        }
        for (size_t size = BUFFER_MIN; size <= BUFFER_MAX; size *= 2) {
                _cleanup_free_ char *buffer = malloc(size);
                int k;

                if (!buffer)
                        return -ENOMEM;
                k = getgrnam_r(group, &entry, buffer, size, &found);
                if (k == ERANGE)
                        continue;
                if (!found)
                        return result(k, found);
                *ret = entry.gr_gid;
                return 0;
        }
        return -ERANGE;
}
