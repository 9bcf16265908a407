/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration files of one kind over the three places, with systemd's precedence (systemd.unit(5)):
 * /etc/pullauth wins over /run/pullauth wins over /usr/lib/pullauth; a link to /dev/null (or an empty
 * regular file) masks; drop-ins NAME.SUFFIX.d/…conf of all three places, the same name masked by the
 * higher place, are read in order of their names after the main file.
 *
 * Reads small files of the administrator synchronously; that is all it blocks for. */

#include "base/macro.h"
#include "codec/conf.h"

typedef struct ConfTree {
        char *name;   /* "edge" of "edge.job" */
        Conf *conf;   /* its content, and messages about reading it */
        bool masked;  /* then conf is empty */
} ConfTree;

/* Lists all names of `kind` ("jobs") with `suffix` (".job") below `root` ("" or "/scratch"), sorted by name.
 * Files whose names are not valid (see conf_name_is_valid) or which cannot be read or are unsafe (not
 * regular, writable by others than their owner) still give an entry, with a CONF_ERROR message.
 * A drop-in directory without a main file defines nothing: a warning in `messages`.
 * Returns 0 or -ENOMEM or an errno of the machine's trouble. */
int conf_tree_load(const char *root, const char *kind, const char *suffix, ConfTree **ret, size_t *ret_n,
                   Conf *messages);
ConfTree *conf_tree_free_many(ConfTree *t, size_t n);
/* One file at the top of the tree, "pullauthd.conf", with "pullauthd.conf.d". Absent: empty conf. */
int conf_tree_load_one(const char *root, const char *file, Conf **ret);

/* 1–64 of [A-Za-z0-9_.-], not starting with '.' or '-'. */
bool conf_name_is_valid(const char *name);
