/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An identity as configured: *.identity files (pullauth.identity(5)). */

#include "base/macro.h"
#include "codec/conf.h"
#include "model/identity-key.h"

typedef struct IdentityConfig {
        char *name;
        IdentitySource source;
        char *audience; /* NULL: none demanded */
        char **settings; /* KEY, VALUE, KEY, VALUE …: what the source takes of the rest, in canonical form */
        unsigned n_more; /* owners beside the first one; once there are some, nobody changes anything */
} IdentityConfig;

IdentityConfig *identity_config_free(IdentityConfig *c);
DEFINE_CLEANUP(IdentityConfig *, identity_config_free)

/* Reads the assignments; what is wrong becomes a CONF_ERROR in `conf`. The result exists also then (for
 * display); check conf_has_error(). Returns 0 or -ENOMEM. */
int identity_config_new(const char *name, Conf *conf, IdentityConfig **ret);
/* One owner more, each of whom frees. */
IdentityConfig *identity_config_share(IdentityConfig *c);
bool identity_config_equal(const IdentityConfig *a, const IdentityConfig *b);

/* The value of one key, or NULL. */
const char *identity_config_get(const IdentityConfig *c, const char *key);

/* What the keys of section [Kubernetes] of a target demand of each other, the rules being those of an
 * identity of that source. Returns 0 or -ENOMEM. */
int identity_access_check(char **settings, Conf *conf);
