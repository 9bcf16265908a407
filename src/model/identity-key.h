/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which keys an *.identity file knows, for which sources, and what their values look like.
 *
 * One const table, read by the parser of those files, by the daemon when it fetches what the worker cannot
 * read, and by the tests that hold the manual against it. */

#include "model/setting.h"

typedef enum IdentitySource {
        IDENTITY_FILE,
        IDENTITY_CREDENTIAL,
        IDENTITY_EXEC,
        IDENTITY_SPIFFE,
        IDENTITY_SIGNED,
        IDENTITY_OAUTH2,
        IDENTITY_KUBERNETES,
        IDENTITY_GCE,
        IDENTITY_AZURE,
        IDENTITY_AWS,
        _IDENTITY_SOURCE_MAX,
        _IDENTITY_SOURCE_INVALID = -EINVAL,
} IdentitySource;

/* Beside the sources, section [Kubernetes] of a target takes some of the keys, as this user of them. */
#define IDENTITY_KEY_CLUSTER (1U << _IDENTITY_SOURCE_MAX)

const char *identity_source_to_string(IdentitySource s);
IdentitySource identity_source_from_string(const char *s);
/* True if it asks for a token for one audience, and cannot do so without a name of it. */
bool identity_source_needs_audience(IdentitySource s);
/* "file, credential, …" for messages. */
int identity_source_names(char **ret);

/* NULL if there is no such key. */
const SettingKey *identity_key_find(const char *key);
const SettingKey *identity_key_all(size_t *ret_n);
