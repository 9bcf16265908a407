/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Single configuration files, written and removed on request: whole or not at all, and never through a link.
 * All but conf_file_path() return -EMEDIUMTYPE if what stands there is no file of its own (a link, a mask, a
 * directory), and what open(2) and its like said of the directories above. */

#include <sys/stat.h>

#include "codec/conf.h"
#include "io/conf-tree.h"

/* The main file of a definition, or a drop-in of it. */
typedef struct ConfFile {
        ConfPlace place;
        const ConfKind *kind;
        const char *name;    /* "edge" */
        const char *drop_in; /* "50-bus.conf", or NULL: the main file */
} ConfFile;

/* Returns 0 or -ENOMEM. */
int conf_file_path(const char *root, const ConfFile *f, char **ret);
/* Returns 1 if there is a regular file, 0 if there is nothing. */
int conf_file_look(const char *root, const ConfFile *f);
/* Returns 1 with the text, and what conf_file_write() shall expect; 0 if there is nothing; -EPERM,
 * -EFBIG, -EBADMSG as file_read(). */
int conf_file_read(const char *root, const ConfFile *f, char **ret_text, struct stat *ret_st);
/* Puts the file in place, root's where that can be had, else ours; mode 0644; on disk when it returns.
 * `expected`: see file_replace(): all zero if there must be none. Makes the directory of drop-ins.
 * Returns 0, -EAGAIN if something else stands there, or why it cannot be written: then everything is as
 * it was. */
int conf_file_write(const char *root, const ConfFile *f, const char *text, const struct stat *expected);
/* Removes the file, and the directory of drop-ins when that was the last. Returns 1, or 0 if there was
 * none. */
int conf_file_remove(const char *root, const ConfFile *f);

/* The names of drop-ins of one place, sorted. `f->drop_in` is not looked at. What is no regular file
 * among them: -EMEDIUMTYPE. */
int conf_file_list_drop_ins(const char *root, const ConfFile *f, char ***ret);
