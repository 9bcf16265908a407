/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Making JWTs (RFC 7519, compact JWS of RFC 7515). Pure: the signature comes from elsewhere. */

#include "base/macro.h"
#include "base/secret.h"

typedef struct JwtDraft {
        const char *algorithm, *key_id; /* header; the key id may be NULL */
        const char *issuer, *subject;
        const char *audience; /* NULL: none */
        const char *id;       /* jti, or NULL */
        int64_t issued, expires;
} JwtDraft;

/* "HEADER.PAYLOAD", which is what gets signed. Returns 0 or -ENOMEM. */
int jwt_signing_input(const JwtDraft *d, char **ret);
/* "HEADER.PAYLOAD.SIGNATURE". */
int jwt_assemble(const char *input, const void *signature, size_t size, Secret **ret);
