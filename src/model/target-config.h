/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Targets: the files that container tools read and fragments are merged into. */

#include <sys/types.h>

#include "base/macro.h"

typedef struct TargetConfig {
        const char *name;
        const char *path;
        mode_t mode; /* of a file that is not there yet; an existing one keeps its own */
        uid_t uid;   /* likewise */
        gid_t gid;
        bool persistent;       /* on a disk: survives a reboot, wants fsync */
        mode_t directory_mode; /* the directory is made with it if missing; 0: never made */
} TargetConfig;

/* NULL if there is no such target. */
const TargetConfig *target_config_find(const char *name);
const TargetConfig *target_config_all(size_t *ret_n);
/* "system, podman" for messages. */
int target_config_names(char **ret);
