/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration files of one kind over the three places, with systemd's precedence (systemd.unit(5)):
 * /etc/pullauth wins over /run/pullauth wins over /usr/lib/pullauth. A link to /dev/null masks. Drop-ins
 * NAME.SUFFIX.d/FILE.conf of all three places (a FILE of a higher place replaces or masks one of a lower
 * place) take effect after the main file, in the order of their names.
 *
 * Reads the administrator's small files synchronously; that is all it blocks for. */

#include "base/macro.h"
#include "codec/conf.h"

/* Where files may lie, the highest place first. */
typedef enum ConfPlace {
        CONF_PLACE_ETC, /* of the administrator */
        CONF_PLACE_RUN, /* until the next boot */
        CONF_PLACE_USR, /* of the distribution */
        _CONF_PLACE_MAX,
        _CONF_PLACE_INVALID = -EINVAL,
} ConfPlace;
/* "/etc/pullauth" … */
const char *conf_place_path(ConfPlace p);

typedef struct ConfTree {
        char *name; /* "edge" of "edge.job" */
        Conf *conf; /* its content, and messages about reading it */
} ConfTree;

/* Lists what defines something of a kind that has a directory, below `root` ("" or "/scratch"), sorted by
 * name, masked ones left out. A file that cannot be read or is unsafe (not regular, not root's or
 * ours, writable by others) gives an entry with a CONF_ERROR message. Files with invalid names and drop-in
 * directories that belong to no file become warnings in `messages`.
 * Returns 0, -ENOMEM, or what opendir(3) said of a place that exists. */
int conf_tree_load(const char *root, const ConfKind *kind, Conf *messages, ConfTree **ret, size_t *ret_n);
ConfTree *conf_tree_free_many(ConfTree *t, size_t n);

/* What a file would say: taken for true instead of what stands at its path. */
typedef struct ConfOverlay {
        const char *path; /* with the root */
        const char *text; /* NULL: as if nothing stood there */
} ConfOverlay;
/* One definition alone. Returns 1 with its content, 0 if there is none or it is masked, -ENOMEM. */
int conf_tree_load_one(const char *root, const ConfKind *kind, const char *name, const ConfOverlay *overlays,
                       size_t n_overlays, Conf **ret);

/* Owns `conf` from now on; NULL: the name is masked, which kinds with `tell_masked` want to know. Below 0:
 * loading ends with that. */
typedef int (*conf_take_t)(size_t kind, const char *name, Conf *conf, void *userdata);
/* The one file of that name, "pullauthd.conf", and its drop-ins, which need no main file. Returns 0 or
 * -ENOMEM. */
int conf_tree_load_file(const char *root, const char *file, Conf **ret);

/* The same for several kinds, one after the other: each definition is handed to `take` as it is read. */
int conf_tree_load_kinds(const char *root, const ConfKind *kinds, size_t n_kinds, Conf *messages,
                         conf_take_t take, void *userdata);

/* True for what may stand before the suffix: 1–64 of [A-Za-z0-9_.-], not starting with '.' or '-'. */
bool conf_name_is_valid(const char *name);
