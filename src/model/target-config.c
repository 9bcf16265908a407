/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The built-in targets as a const table. Owns nothing else; opens no file.
 *
 * Each row is a place that some tool reads by itself (containers-auth.json(5)) or that administrators point
 * tools at. */

#include "base/text.h"
#include "model/target-config.h"

static const TargetConfig builtin[] = {
        /* What REGISTRY_AUTH_FILE= and AuthFile= point at; no tool reads it unasked. */
        { .name = "system",
          .path = "/etc/containers/auth.json",
          .mode = 0600,
          .persistent = true,
          .directory_mode = 0755 },
        /* Where rootful podman, buildah and skopeo look when nothing is configured and XDG_RUNTIME_DIR is
         * not set, as in system services. */
        { .name = "podman", .path = "/run/containers/0/auth.json", .mode = 0600, .directory_mode = 0700 },
};

const TargetConfig *target_config_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(builtin); i++)
                if (streq(builtin[i].name, name))
                        return builtin + i;
        return NULL;
}

const TargetConfig *target_config_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(builtin);
        return builtin;
}

int target_config_names(char **ret) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(builtin) && r >= 0; i++)
                r = strv_append(&names, builtin[i].name);
        return r < 0 ? r : strv_join(names, ", ", ret);
}
