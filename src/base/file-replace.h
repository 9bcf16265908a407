/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Replacing a file so that readers see the old or the new content and nothing else, also after a crash. */

#include <sys/types.h>

struct stat;

#include "base/macro.h"

typedef enum FileReplaceFlags {
        FILE_REPLACE_SYNC = 1 << 0, /* fsync the file and its directory (persistent disks) */
        FILE_REPLACE_KEEP = 1 << 1, /* take owner, group, mode, ACL, SELinux label and other extended
                                     * attributes from `old_fd` where it is given */
} FileReplaceFlags;

typedef struct FileReplace {
        int dir_fd; /* from dir_open_trusted() */
        const char *name;
        const void *data;
        size_t size;
        int old_fd;  /* the file being replaced, open for reading, or -EBADF for a new one */
        mode_t mode; /* of a new file */
        uid_t uid;   /* of a new file; (uid_t) -1 leaves ours */
        gid_t gid;
        FileReplaceFlags flags;
        /* What must stand under the name at the moment of the replacing (`old_fd` need not be open):
         * another file is put back and -EAGAIN returned. All zero: nothing must stand there. NULL:
         * whatever stands there. */
        const struct stat *expected;
        struct stat *ret_placed; /* what stands there after success, for stat_same_bytes(); may be NULL */
} FileReplace;

/* Writes a temporary file ".pullauth-NAME.RANDOM" (O_EXCL, 0600 from its first instant) in the same
 * directory, gives it owner, mode and attributes on the descriptor, syncs, renames, syncs the directory.
 * With `expected` the two files change places at once, and the one that comes out is looked at, so that
 * what somebody else put there in the last instant is not lost (renameat2(2) RENAME_EXCHANGE; where the file
 * system cannot, a look just before the rename has to do).
 * On failure the old file is untouched and the temporary is gone, but for a directory that cannot be synced:
 * then the new file stands, and might not after a crash. Returns 0 or a negative errno (-ENOSPC, -EDQUOT,
 * -EROFS, -EACCES, -EPERM, -EIO, …; -EINVAL for a name that is none). */
int file_replace(const FileReplace *r);

/* Removes temporaries that a killed writer of `name` left in `dir_fd`. Returns how many, or an errno. */
int file_replace_sweep(int dir_fd, const char *name);

/* True if `a` and `b` name the same content state (device, inode, size, mtime and ctime to the
 * nanosecond). */
bool stat_same_content(const struct stat *a, const struct stat *b);
/* The same but for the ctime, which changes when a file gets another name. */
bool stat_same_bytes(const struct stat *a, const struct stat *b);
