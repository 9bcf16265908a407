/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private RSA keys of this host, by GnuTLS: from PEM text, which may be that of a key in a TPM2, or behind
 * PKCS#11 (tokens, TPM2 through tpm2-pkcs11). Opening and signing may block for as long as a device likes:
 * see io/background. */

#include "base/macro.h"
#include "base/secret.h"

typedef struct SigningKey SigningKey;

typedef struct SigningKeyPlace {
        const Secret *pem; /* or */
        const char *uri;   /* "pkcs11:…" */
        const Secret *pin; /* for either, or NULL */
} SigningKeyPlace;

/* Such keys may block, and only one of them may be open at a time in this process: GnuTLS has one connection
 * to the TPM2 and does not guard it, and who closes a session of PKCS#11 may log out all others (tpm2-pkcs11
 * does, its issue 844). */
bool signing_key_in_device(const SigningKeyPlace *place);

/* Returns 0; 1 with *reterr, a sentence without secrets; -ENOMEM. */
int signing_key_open(const SigningKeyPlace *place, SigningKey **ret, char **reterr);
SigningKey *signing_key_free(SigningKey *k);
DEFINE_CLEANUP(SigningKey *, signing_key_free)

/* 128 random bits in hexadecimal, so that each token is another one. Returns 0 or -EIO. */
#define TOKEN_ID_MAX 33
int token_id_make(char ret[static TOKEN_ID_MAX]);

/* RS256 or RS384 (RFC 7518 §3.3). The signature is to be freed with free(). Returns 0, 1 with *reterr,
 * -EINVAL for another algorithm, -ENOMEM. */
int signing_key_sign(SigningKey *k, const char *algorithm, const void *data, size_t size, void **ret,
                     size_t *ret_size, char **reterr);

/* What others need to check its signatures, in base64url. */
typedef struct PublicKey {
        char *modulus, *exponent;
        char *thumbprint; /* of RFC 7638, with SHA-256 */
} PublicKey;

void public_key_done(PublicKey *k);
/* Both return 0, 1 with *reterr, -ENOMEM. */
int signing_key_public(const SigningKey *k, PublicKey *ret, char **reterr);
/* From "-----BEGIN PUBLIC KEY-----", or a certificate. */
int public_key_read(const Secret *pem, PublicKey *ret, char **reterr);
