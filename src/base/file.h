/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading files that others write: bounded, from a checked descriptor, never by a path twice. */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/macro.h"
#include "base/secret.h"

typedef enum FileReadFlags {
        FILE_READ_FOLLOW = 1 << 0, /* the last component may be a symbolic link (projected tokens are) */
        FILE_READ_OWNED = 1 << 1,  /* -EPERM unless owned by root or our own euid and not writable by
                                    * group or others; checked on the open descriptor */
        FILE_READ_ALLOW_NUL = 1 << 2,
} FileReadFlags;

/* Reads a whole regular file of at most `max` bytes.
 *
 * Opens with O_NONBLOCK|O_NOCTTY so that a FIFO or device cannot hang us, then requires a regular file.
 * `dir_fd` may be AT_FDCWD. `ret_stat` may be NULL. Returns 0, or: -ENOENT; -ELOOP (a link where none is
 * allowed); -EISDIR; -EMEDIUMTYPE (not a regular file); -EPERM (FILE_READ_OWNED); -EFBIG (more than
 * `max`); -EBADMSG (a NUL byte without FILE_READ_ALLOW_NUL); or what open(2)/read(2) said. */
int file_read(int dir_fd, const char *path, size_t max, FileReadFlags flags, Secret **ret,
              struct stat *ret_stat);

/* Splits an absolute path and opens its directory without following any symbolic link (openat2(2)
 * RESOLVE_NO_SYMLINKS|RESOLVE_NO_MAGICLINKS, component by component where the kernel has no openat2),
 * then requires that the directory belongs to root or to our own euid and is not writable by group or
 * others. `ret_name` points into `path`. `reterr_component` (may be NULL) receives a malloc'ed path of the
 * offending component on failure.
 * Returns 0, or -EINVAL (not absolute, "..", empty name), -ELOOP, -ENOTDIR, -EPERM (owner or mode),
 * -ENOENT, or what openat(2) said. */
int dir_open_trusted(const char *path, int *ret_dir_fd, const char **ret_name, char **reterr_component);
