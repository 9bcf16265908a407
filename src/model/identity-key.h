/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which keys an *.identity file knows, for which sources, and what their values look like.
 *
 * One const table, read by the parser of those files, by the daemon when it fetches what the worker cannot
 * read, and by the tests that hold the manual against it. */

#include "base/macro.h"

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

const char *identity_source_to_string(IdentitySource s);
IdentitySource identity_source_from_string(const char *s);
/* True if it asks for a token for one audience, and cannot do so without a name of it. */
bool identity_source_needs_audience(IdentitySource s);
/* "file, credential, …" for messages. */
int identity_source_names(char **ret);

typedef enum IdentityValue {
        IDENTITY_VALUE_TOKEN,     /* printable ASCII without blanks */
        IDENTITY_VALUE_TEXT,      /* any one line */
        IDENTITY_VALUE_COMMAND,   /* an absolute path and arguments, no shell */
        IDENTITY_VALUE_URL,       /* https://… */
        IDENTITY_VALUE_URL_PLAIN, /* http://… as well: proxies, and metadata services of clouds */
        IDENTITY_VALUE_NAME,      /* of a credential of the service manager */
        IDENTITY_VALUE_FILE,      /* absolute path or "credential:NAME"; the worker gets the content */
        IDENTITY_VALUE_CA,        /* likewise; certificates in PEM form */
        IDENTITY_VALUE_BOOL,      /* kept as "yes"; "no" is as if it were not there */
        IDENTITY_VALUE_OBJECT,    /* "Kind/name[/uid]" of Kubernetes */
        IDENTITY_VALUE_SPAN,      /* kept as µs in decimal */
        IDENTITY_VALUE_CHOICE,    /* one of `choices` */
        IDENTITY_VALUE_SOCKET,    /* unix:///path, kept as the path */
        _IDENTITY_VALUE_MAX,
        _IDENTITY_VALUE_INVALID = -EINVAL,
} IdentityValue;

#define IDENTITY_CREDENTIAL_PREFIX "credential:"

typedef struct IdentityKey {
        const char *key;
        unsigned sources;  /* bits 1 << source that take it */
        unsigned required; /* those that cannot do without */
        IdentityValue value;
        const char *example;
        const char *choices; /* IDENTITY_VALUE_CHOICE: separated by blanks */
        unsigned seconds[2]; /* IDENTITY_VALUE_SPAN: shortest and longest */
} IdentityKey;

/* The absolute path in an address of the form unix:///PATH (or unix:/PATH, or the path alone); NULL if it is
 * none, or too long for the kernel. */
const char *identity_socket_path(const char *address);

/* NULL if there is no such key. */
const IdentityKey *identity_key_find(const char *key);
const IdentityKey *identity_key_all(size_t *ret_n);

static inline bool identity_key_is_file(const IdentityKey *k) {
        return k->value == IDENTITY_VALUE_FILE || k->value == IDENTITY_VALUE_CA ||
               k->value == IDENTITY_VALUE_NAME;
}
