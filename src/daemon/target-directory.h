/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory of a file of a target, opened so that nobody can play with what leads there. */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/macro.h"
#include "base/secret.h"

typedef struct TargetDirectory {
        int fd;           /* -EBADF: none */
        char *path;       /* of the file, below the root */
        const char *name; /* its last component */
        bool home;        /* below the home of a user, whose are directory and file */
        uid_t uid;
        gid_t gid;
} TargetDirectory;

#define TARGET_DIRECTORY_NONE ((TargetDirectory){ .fd = -EBADF })
void target_directory_done(TargetDirectory *d);

/* `path` as in TargetConfig. A directory that is missing is made with `mode`, for root, if that is not 0:
 * the last one of "/…", all of "~USER/…", for that user. Returns 0; -ESRCH (no such user); -ENXIO (the
 * user has no home); -EPERM (others could change what lies in it); -EXDEV (something else is mounted
 * there); or as dir_open_trusted(), also with *reterr_component. */
int target_directory_open(const char *root, const char *path, mode_t mode, TargetDirectory *ret,
                          char **reterr_component);
/* The path with the root and with the user's home, for people and for watching; "~USER/…" of nobody as it
 * is. Returns 0 or -ENOMEM. */
int target_directory_resolve(const char *root, const char *path, char **ret);
/* The file in it, without waiting for what a user mounted in its place: -EXDEV says that something is. Both
 * return what else file_read() does, with the descriptor -EAGAIN if it was changed meanwhile. */
int target_directory_look(const TargetDirectory *d, struct stat *ret);
int target_directory_read_file(const TargetDirectory *d, size_t max, Secret **ret, struct stat *ret_st,
                               int *ret_fd);
/* What stands in the file, looked at once. */
int target_directory_read(const char *root, const char *path, size_t max, Secret **ret);
