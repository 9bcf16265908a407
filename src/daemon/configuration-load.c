/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the files of this host to one checked configuration.
 *
 * Owns nothing but the way from io/conf-tree to model/configuration, which know nothing of each other. */

#include "daemon/configuration-load.h"
#include "io/conf-tree.h"

static int take(size_t kind, const char *name, Conf *conf, void *userdata) {
        return configuration_add(userdata, (ConfigurationKind) kind, name, conf);
}

int configuration_load(const char *root, Configuration **ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        int r;

        r = configuration_new(&c);
        if (r >= 0)
                r = conf_tree_load_kinds(root, configuration_kinds, _CONFIGURATION_KIND_MAX, c->messages,
                                         take, c);
        if (r >= 0)
                r = configuration_check(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
