/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An identity as configured: *.identity files (pullauth.identity(5)). */

#include "base/macro.h"
#include "codec/conf.h"

typedef enum IdentitySource {
        IDENTITY_FILE,
        _IDENTITY_SOURCE_MAX,
        _IDENTITY_SOURCE_INVALID = -EINVAL,
} IdentitySource;

const char *identity_source_to_string(IdentitySource s);
IdentitySource identity_source_from_string(const char *s);

typedef struct IdentityConfig {
        char *name;
        IdentitySource source;
        char *audience;   /* NULL: none demanded */
        char *token_file; /* IDENTITY_FILE */
} IdentityConfig;

IdentityConfig *identity_config_free(IdentityConfig *c);
DEFINE_CLEANUP(IdentityConfig *, identity_config_free)

/* Reads the assignments; what is wrong becomes a CONF_ERROR in `conf`. The result exists also then (for
 * display); check conf_has_error(). Returns 0 or -ENOMEM. */
int identity_config_new(const char *name, Conf *conf, IdentityConfig **ret);
int identity_config_dup(const IdentityConfig *c, IdentityConfig **ret);
bool identity_config_equal(const IdentityConfig *a, const IdentityConfig *b);
