/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The readable parts of a JWT (RFC 7519, compact JWS). Nothing here is verified: the claims serve
 * scheduling, linting and display. */

#include "base/macro.h"
#include "base/secret.h"

typedef struct JwtClaims {
        /* header; NULL if absent or no string */
        char *alg, *kid, *typ;
        /* payload; NULL if absent or no string */
        char *iss, *sub, *jti;
        char **aud;       /* a single string becomes a vector of one; NULL if absent */
        bool sub_present; /* present, maybe not a string (then sub is NULL) */
        bool has_iat, has_exp, has_nbf;
        int64_t iat, exp, nbf;             /* seconds since 1970, fractions cut off, clamped to ± 2^53 */
        bool iat_malformed, exp_malformed; /* present but no number */
} JwtClaims;

/* Parses the compact form (no blanks around). Returns 0; -EBADMSG if it is no JWT, with *reterr a static
 * text ("not three segments", "header is not base64url", "payload is not a JSON object"); -ENOMEM. Size is
 * at most 64 KiB (-EFBIG, *reterr says so too), audiences at most 64. Strings with control characters are
 * refused (-EBADMSG). */
int jwt_parse(const char *text, size_t size, JwtClaims **ret, const char **reterr);
JwtClaims *jwt_claims_free(JwtClaims *c);
DEFINE_CLEANUP(JwtClaims *, jwt_claims_free)
#define _cleanup_jwt_ _cleanup_(jwt_claims_freep)
bool jwt_has_audience(const JwtClaims *c, const char *audience);
