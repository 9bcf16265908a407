/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The extended attributes of a file that is being replaced. Owns nothing. It does not interpret a single
 * value; it decides by the name alone which attributes belong to the file's place and readers (ACL,
 * label, notes) and which to the old bytes (hashes, signatures, capabilities), and carries over only the
 * former. */

#include <string.h>
#include <sys/xattr.h>

#include "base/file-xattr.h"
#include "base/text.h"

#define ACL "system.posix_acl_access"

/* Another program may add attributes between asking for the size and asking for the content. */
#define TRIES 8

/* The value of one attribute, or with `name` NULL the list of all names. Returns 0 or a negative errno. */
static int get(int fd, const char *name, char **ret, size_t *ret_size) {
        for (unsigned i = 0; i < TRIES; i++) {
                _cleanup_free_ char *value = NULL;
                ssize_t n = 0, room = name ? fgetxattr(fd, name, NULL, 0) : flistxattr(fd, NULL, 0);

                if (room < 0)
                        return -errno;
                value = malloc((size_t) room + 1);
                if (!value)
                        return -ENOMEM;
                /* With a size of 0 the calls would only ask again. */
                if (room > 0 && name)
                        n = fgetxattr(fd, name, value, (size_t) room);
                else if (room > 0)
                        n = flistxattr(fd, value, (size_t) room);
                if (n < 0 && errno == ERANGE)
                        continue;
                if (n < 0)
                        return -errno;
                *ret = TAKE_PTR(value);
                *ret_size = (size_t) n;
                return 0;
        }
        return -EBUSY;
}

/* Statements about the content: false for other content, and the kernel makes its own. */
static bool belongs_to_content(const char *name) {
        return streq(name, "security.ima") || streq(name, "security.evm") ||
               streq(name, "security.capability");
}

static bool has_value(int fd, const char *name, const char *value, size_t size) {
        _cleanup_free_ char *present = NULL;
        size_t present_size = 0;

        if (get(fd, name, &present, &present_size) < 0 || present_size != size)
                return false;
        return size == 0 || memcmp(present, value, size) == 0;
}

/* Labels may be set by those alone whom the security module allows it, and with none loaded by
 * CAP_SYS_ADMIN, as may "trusted.": the new file then has the label which the policy gives to files made
 * in this directory, and that is the one it would get from restorecon(8). "user." and "system." are not
 * of this kind. */
static bool may_be_refused(const char *name) {
        return !startswith(name, "user.") && !startswith(name, "system.");
}

static int copy(int from_fd, int to_fd, const char *name) {
        _cleanup_free_ char *value = NULL;
        size_t size = 0;
        int r;

        r = get(from_fd, name, &value, &size);
        if (r == -ENODATA) /* gone meanwhile */
                return 0;
        if (r < 0)
                return r;
        /* Setting what stands there already can be refused as well. */
        if (has_value(to_fd, name, value, size))
                return 0;
        if (fsetxattr(to_fd, name, value, size, 0) == 0)
                return 0;
        if (errno == ENOTSUP ||
            (may_be_refused(name) && (errno == EPERM || errno == EACCES || errno == EINVAL)))
                return 0;
        return -errno;
}

int file_copy_xattrs(int from_fd, int to_fd) {
        _cleanup_free_ char *names = NULL;
        bool has_acl = false;
        size_t size = 0;
        int r;

        r = get(from_fd, NULL, &names, &size);
        if (r == -ENOTSUP)
                return 0;
        if (r < 0)
                return r;
        for (const char *name = names; name < names + size; name += strlen(name) + 1) {
                has_acl = has_acl || streq(name, ACL);
                if (belongs_to_content(name))
                        continue;
                r = copy(from_fd, to_fd, name);
                if (r < 0)
                        return r;
        }
        if (!has_acl && fremovexattr(to_fd, ACL) < 0 && errno != ENODATA && errno != ENOTSUP)
                return -errno;
        return 0;
}
