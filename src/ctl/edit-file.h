/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A temporary file beside the one that is edited, and taking its place. */

#include <sys/stat.h>

#include "base/macro.h"

typedef struct EditFile {
        int dir_fd;
        char *path;         /* of the temporary file, for the editor */
        char *name;         /* of the file whose place it is for */
        char **made;        /* directories that were made for this */
        struct stat before; /* that file when this began, or zeroes */
        bool keep;          /* leave the temporary file where it is */
} EditFile;

#define EDIT_FILE_NONE ((EditFile){ .dir_fd = -EBADF })

/* Makes the temporary file with this text, and the directories above `path` that are missing. Returns 0,
 * -ELOOP if `path` is a link, -EMEDIUMTYPE for what is no regular file, or what a system call said. */
int edit_file_make(EditFile *f, const char *path, const char *text);
/* Writes `text` to the file's own place, if that still holds what it held: -EAGAIN otherwise. */
int edit_file_replace(EditFile *f, const char *text);
/* Removes what is not to be kept. */
void edit_file_done(EditFile *f);
