/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Some tools read the first file of several that exists, and that one alone. A file of ours that comes
 * before that of an administrator starts from it, each time anew.
 *
 * Reads bases that root alone can have written, through links as administrators set them. Writes nothing. */

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/text.h"
#include "daemon/target-base.h"
#include "model/auth-file.h"

int target_base_read(const char *root, char *const *bases, Secret **ret, char **ret_path) {
        STRV_FOREACH(base, bases) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = text_format(&path, "%s%s", root, *base);
                if (r < 0)
                        return r;
                r = file_read(AT_FDCWD, path, AUTH_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, ret, NULL);
                if (r == -ENOENT)
                        continue;
                *ret_path = TAKE_PTR(path);
                return r < 0 ? r : 1;
        }
        return 0;
}
