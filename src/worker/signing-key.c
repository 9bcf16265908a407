/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GnuTLS wrapped in what this program needs of it: open a private key, sign with it, show its public
 * half.
 *
 * Owns the objects of the library and the sentences about what it did not like. Refuses keys that are
 * no RSA, for no registry that we know takes their signatures. Key and PIN never leave this file.
 *
 * Keys in a TPM2 come by PKCS#11, or from the files that its own tools write and that a GnuTLS built with
 * tpm2-tss opens like any PEM file: RHEL's is, Debian's is not. */

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "worker/signing-key.h"

/* NIST SP 800-57: anything shorter is no key. */
#define BITS_MIN 2048

/* What the file of a key in a TPM2 begins with (draft-bottomley-tpm2-keys). */
#define TPM2_BEGIN "-----BEGIN TSS2 PRIVATE KEY-----"

struct SigningKey {
        gnutls_privkey_t key;
        Secret *pin;
        bool pin_used;
};

static int complain(char **reterr, const char *what, int error) {
        int r;

        if (error == GNUTLS_E_MEMORY_ERROR)
                return -ENOMEM;
        r = text_format(reterr, "%s: %s", what, gnutls_strerror(error));
        return r < 0 ? r : 1;
}

static int say(char **reterr, const char *text) {
        int r = text_format(reterr, "%s", text);

        return r < 0 ? r : 1;
}

/* A token that asks a second time did not like the answer; asking on would lock it. */
static int on_pin(void *userdata, int attempt, const char *url, const char *label, unsigned flags, char *pin,
                  size_t max) {
        SigningKey *k = userdata;
        struct iovec bytes = secret_peek(k->pin);

        if (!k->pin || k->pin_used || bytes.iov_len == 0 || bytes.iov_len >= max)
                return GNUTLS_E_PKCS11_PIN_ERROR;
        k->pin_used = true;
        (void) memcpy(pin, bytes.iov_base, bytes.iov_len);
        pin[bytes.iov_len] = '\0';
        return 0;
}

SigningKey *signing_key_free(SigningKey *k) {
        if (!k)
                return NULL;
        if (k->key)
                gnutls_privkey_deinit(k->key);
        secret_free(k->pin);
        free(k);
        return NULL;
}

static bool is_tpm2_file(const Secret *pem) {
        struct iovec bytes = secret_peek(pem);

        return pem && memmem(bytes.iov_base, bytes.iov_len, TPM2_BEGIN, strlen(TPM2_BEGIN));
}

bool signing_key_in_device(const SigningKeyPlace *place) {
        return place->uri || is_tpm2_file(place->pem);
}

static int import_pem(SigningKey *k, const SigningKeyPlace *place, char **reterr) {
        struct iovec pem = secret_peek(place->pem);
        const char *password = place->pin ? secret_peek(place->pin).iov_base : NULL;
        int r;

        gnutls_privkey_set_pin_function(k->key, on_pin, k);
        r = gnutls_privkey_import_x509_raw(
                k->key, &(gnutls_datum_t){ .data = pem.iov_base, .size = (unsigned) pem.iov_len },
                GNUTLS_X509_FMT_PEM, password, 0);
        if (r >= 0)
                return 0;
        if (r == GNUTLS_E_TPM_ERROR)
                return say(reterr, "The key in the TPM2 cannot be opened: there is no way to the TPM2 "
                                   "(GNUTLS_TPM2_TCTI in the worker's environment), or it is not its key");
        if (is_tpm2_file(place->pem) && r != GNUTLS_E_MEMORY_ERROR)
                return say(reterr,
                           "This host's GnuTLS does not read this file of a key in a TPM2; name the key by "
                           "KeyURI=, through tpm2-pkcs11");
        return complain(reterr, "The private key cannot be read", r);
}

static int import_uri(SigningKey *k, const SigningKeyPlace *place, char **reterr) {
        int r;

        if (!gnutls_url_is_supported(place->uri))
                return say(reterr, "This program's GnuTLS cannot open keys of this kind");
        gnutls_privkey_set_pin_function(k->key, on_pin, k);
        r = gnutls_privkey_import_url(k->key, place->uri, 0);
        return r < 0 ? complain(reterr, "The private key cannot be opened", r) : 0;
}

static int check_kind(const SigningKey *k, char **reterr) {
        unsigned bits = 0;
        int algorithm = gnutls_privkey_get_pk_algorithm(k->key, &bits);

        if (algorithm != GNUTLS_PK_RSA)
                return say(reterr, "The private key is no RSA key");
        if (bits < BITS_MIN)
                return say(reterr, "The private key is shorter than 2048 bits");
        return 0;
}

int signing_key_open(const SigningKeyPlace *place, SigningKey **ret, char **reterr) {
        _cleanup_(signing_key_freep) SigningKey *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        r = place->pin ? secret_dup(place->pin, &k->pin) : 0;
        if (r < 0)
                return r;
        r = gnutls_privkey_init(&k->key);
        if (r < 0) {
                k->key = NULL;
                return complain(reterr, "GnuTLS cannot be used", r);
        }
        r = place->pem ? import_pem(k, place, reterr) : import_uri(k, place, reterr);
        if (r == 0)
                r = check_kind(k, reterr);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(k);
        return 0;
}

int token_id_make(char ret[static TOKEN_ID_MAX]) {
        uint8_t bytes[(TOKEN_ID_MAX - 1) / 2];

        if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes)) < 0)
                return -EIO;
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
        return 0;
}

int signing_key_sign(SigningKey *k, const char *algorithm, const void *data, size_t size, void **ret,
                     size_t *ret_size, char **reterr) {
        gnutls_digest_algorithm_t digest = streq(algorithm, "RS256")   ? GNUTLS_DIG_SHA256
                                           : streq(algorithm, "RS384") ? GNUTLS_DIG_SHA384
                                                                       : GNUTLS_DIG_UNKNOWN;
        gnutls_datum_t signature = {};
        void *copy;
        int r;

        if (digest == GNUTLS_DIG_UNKNOWN)
                return -EINVAL;
        k->pin_used = false;
        r = gnutls_privkey_sign_data(k->key, digest, 0,
                                     &(gnutls_datum_t){ .data = (void *) data, .size = (unsigned) size },
                                     &signature);
        if (r < 0)
                return complain(reterr, "The private key does not sign", r);
        copy = malloc(signature.size);
        if (copy)
                (void) memcpy(copy, signature.data, signature.size);
        gnutls_free(signature.data);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        *ret_size = signature.size;
        return 0;
}

void public_key_done(PublicKey *k) {
        free(k->modulus);
        free(k->exponent);
        free(k->thumbprint);
        *k = (PublicKey){};
}

static int encode(const void *data, size_t size, char **ret) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = base64url_encode(data, size, &text);
        return r < 0 ? r : text_format(ret, "%s", (const char *) secret_peek(text).iov_base);
}

/* RFC 7638 §3: the required members in the order of their names, without blanks. */
static int make_thumbprint(PublicKey *k) {
        _cleanup_free_ char *text = NULL;
        uint8_t hash[32];
        int r;

        r = text_format(&text, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", k->exponent, k->modulus);
        if (r < 0)
                return r;
        if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), hash) < 0)
                return -ENOMEM;
        return encode(hash, sizeof(hash), &k->thumbprint);
}

static int export_public(gnutls_pubkey_t public, PublicKey *ret, char **reterr) {
        _cleanup_(public_key_done) PublicKey k = {};
        gnutls_datum_t modulus, exponent;
        int r;

        if (gnutls_pubkey_get_pk_algorithm(public, NULL) != GNUTLS_PK_RSA)
                return say(reterr, "The public key is no RSA key");
        r = gnutls_pubkey_export_rsa_raw2(public, &modulus, &exponent, GNUTLS_EXPORT_FLAG_NO_LZ);
        if (r < 0)
                return complain(reterr, "The public key cannot be had", r);
        r = encode(modulus.data, modulus.size, &k.modulus);
        if (r >= 0)
                r = encode(exponent.data, exponent.size, &k.exponent);
        gnutls_free(modulus.data);
        gnutls_free(exponent.data);
        if (r >= 0)
                r = make_thumbprint(&k);
        if (r < 0)
                return r;
        *ret = k;
        k = (PublicKey){};
        return 0;
}

int signing_key_public(const SigningKey *k, PublicKey *ret, char **reterr) {
        gnutls_pubkey_t public;
        int r;

        r = gnutls_pubkey_init(&public);
        if (r < 0)
                return complain(reterr, "GnuTLS cannot be used", r);
        r = gnutls_pubkey_import_privkey(public, k->key, 0, 0);
        r = r < 0 ? complain(reterr, "The public key cannot be had", r) : export_public(public, ret, reterr);
        gnutls_pubkey_deinit(public);
        return r;
}

static int import_public(gnutls_pubkey_t public, const Secret *pem, char **reterr) {
        struct iovec bytes = secret_peek(pem);
        gnutls_datum_t text = { .data = bytes.iov_base, .size = (unsigned) bytes.iov_len };
        gnutls_x509_crt_t certificate;
        int r;

        if (!memmem(bytes.iov_base, bytes.iov_len, "-----BEGIN CERTIFICATE", 22)) {
                r = gnutls_pubkey_import(public, &text, GNUTLS_X509_FMT_PEM);
                return r < 0 ? complain(reterr, "The public key cannot be read", r) : 0;
        }
        r = gnutls_x509_crt_init(&certificate);
        if (r < 0)
                return complain(reterr, "GnuTLS cannot be used", r);
        r = gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM);
        if (r >= 0)
                r = gnutls_pubkey_import_x509(public, certificate, 0);
        gnutls_x509_crt_deinit(certificate);
        return r < 0 ? complain(reterr, "The certificate cannot be read", r) : 0;
}

int public_key_read(const Secret *pem, PublicKey *ret, char **reterr) {
        gnutls_pubkey_t public;
        int r;

        r = gnutls_pubkey_init(&public);
        if (r < 0)
                return complain(reterr, "GnuTLS cannot be used", r);
        r = import_public(public, pem, reterr);
        if (r == 0)
                r = export_public(public, ret, reterr);
        gnutls_pubkey_deinit(public);
        return r;
}
