/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files in which other programs are configured, as far as they say where credentials are looked for. */

#include "base/macro.h"
#include "model/registries.h"

/* Makes a path fit for a terminal: '?' for what would be no text on one line. Returns 0 or -ENOMEM. */
int tool_path_clean(char **path);

/* `notes` get a line for each file or directory that cannot be read, or is not TOML. All return 0 or
 * -ENOMEM. */

/* The last value of a key (`name` as in codec/toml-string) in a file and those of a directory behind it
 * (NULL: there is none), all below `root`. NULL if it is not set. */
int tool_setting(const char *root, const char *file, const char *directory, const char *name, char ***notes,
                 char **ret);
/* Whose containers.conf(5), and where. */
typedef struct EngineFiles {
        const char *root;
        const char *home, *config_home; /* the latter may be NULL */
        bool is_us;                     /* it is our own home: that we may not read it is worth a note */
        const char *only, *last;        /* $CONTAINERS_CONF and $CONTAINERS_CONF_OVERRIDE; may be NULL */
} EngineFiles;

/* What REGISTRY_AUTH_FILE is in [engine] env, as Podman and Buildah read these files; NULL: nothing. */
int tool_engine_file(const EngineFiles *files, char ***notes, char **ret);

/* Whose containers-registries.conf(5), and where. */
typedef struct RegistriesFiles {
        const char *root, *home;
        bool is_us;          /* as above */
        const char *instead; /* $CONTAINERS_REGISTRIES_CONF; may be NULL */
} RegistriesFiles;

int tool_registries(const RegistriesFiles *files, char ***notes, Registries *ret);
