/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Configuration files read by this tool itself, without the daemon. */

#include "client/answer.h"
#include "model/configuration.h"

/* What a user calls a definition: "edge" or "edge.job", "node.identity". */
typedef struct DefinitionName {
        ConfigurationKind kind;
        char *name; /* without suffix */
        char *file; /* with it */
} DefinitionName;

/* Returns 0, -EINVAL for what can be the name of no definition, -ENOMEM. */
int definition_name_parse(DefinitionName *ret, const char *text);
void definition_name_done(DefinitionName *n);

/* A file as it would be: `path` holds `data` instead of what it holds. */
typedef struct OfflineChange {
        const DefinitionName *name; /* what it belongs to */
        const char *path;
        const char *data;
        size_t size;
        bool drop_in; /* else it is the main file */
} OfflineChange;

/* All files below `root` ("" for this host), with a change (may be NULL), each by itself. Returns 0,
 * -ENOMEM, or what was said of a directory. */
int offline_read(const char *root, const OfflineChange *change, Configuration **ret);
/* The same, held against each other. */
int offline_load(const char *root, const OfflineChange *change, Configuration **ret);

/* The files of one definition in the order in which they count; NULL: there is no such definition. `ret`
 * has them also if they cannot be read, which then stands in `messages` (may be NULL). */
int offline_files(const char *root, const DefinitionName *name, char ***ret, ShownMessages *messages);
/* Names of all definitions of a kind. */
int offline_names(const char *root, ConfigurationKind kind, char ***ret);

/* Every message once, cleaned. */
int offline_messages(const Configuration *c, ShownMessages *ret);
int shown_messages_add(ShownMessages *l, const ConfMessage *m);
void shown_messages_done(ShownMessages *l);
