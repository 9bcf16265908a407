/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two documents that make a static https site an OIDC issuer: discovery (OpenID Connect Discovery 1.0
 * §3) and key set (RFC 7517). Pure. */

#include "base/macro.h"
#include "worker/signing-key.h"

/* Where the key set lies below the issuer's address. */
#define ISSUER_JWKS_PATH "/jwks.json"

/* One key of the set; the key id is the key's thumbprint where there is none. */
typedef struct PublishedKey {
        const PublicKey *key;
        const char *key_id;
        const char *algorithm;
} PublishedKey;

/* Both return 0 or -ENOMEM. */
int issuer_jwks(const PublishedKey *keys, size_t n_keys, char **ret);
int issuer_discovery(const char *issuer, const char *algorithm, char **ret);
