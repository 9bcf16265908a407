/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys of every kind that people may try, and signatures that another part of the library checks. */

#include "unit.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "base/text.h"
#include "worker/signing-key.h"

/* Of RSA, for every test that asks no more: to make one takes half a minute under valgrind. */
static gnutls_x509_privkey_t rsa;

static gnutls_x509_privkey_t make_key(gnutls_pk_algorithm_t algorithm, unsigned bits) {
        gnutls_x509_privkey_t key;

        assert_int_equal(gnutls_x509_privkey_init(&key), 0);
        assert_int_equal(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
        return key;
}

/* As PEM text, encrypted if there is a password. */
static Secret *write_key(gnutls_x509_privkey_t key, const char *password) {
        gnutls_datum_t text;
        Secret *pem;

        assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
                                 key, GNUTLS_X509_FMT_PEM, password,
                                 password ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, &text),
                         0);
        assert_int_equal(secret_new(text.data, text.size, &pem), 0);
        gnutls_free(text.data);
        return pem;
}

static Secret *write_fresh(gnutls_pk_algorithm_t algorithm, unsigned bits) {
        gnutls_x509_privkey_t key = make_key(algorithm, bits);
        Secret *pem = write_key(key, NULL);

        gnutls_x509_privkey_deinit(key);
        return pem;
}

/* The public half as PEM text, without our own code. */
static Secret *write_public(gnutls_x509_privkey_t key) {
        gnutls_privkey_t private;
        gnutls_pubkey_t public;
        gnutls_datum_t text;
        Secret *pem;

        assert_int_equal(gnutls_privkey_init(&private), 0);
        assert_int_equal(gnutls_pubkey_init(&public), 0);
        assert_int_equal(gnutls_privkey_import_x509(private, key, 0), 0);
        assert_int_equal(gnutls_pubkey_import_privkey(public, private, 0, 0), 0);
        assert_int_equal(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &text), 0);
        assert_int_equal(secret_new(text.data, text.size, &pem), 0);
        gnutls_free(text.data);
        gnutls_pubkey_deinit(public);
        gnutls_privkey_deinit(private);
        return pem;
}

/* By the public half of the PEM text, not by our own code. */
static void assert_signed(const Secret *pem, gnutls_sign_algorithm_t algorithm, const char *data,
                          void *signature, size_t size) {
        struct iovec bytes = secret_peek(pem);
        gnutls_privkey_t key;
        gnutls_pubkey_t public;

        assert_int_equal(gnutls_privkey_init(&key), 0);
        assert_int_equal(gnutls_pubkey_init(&public), 0);
        assert_int_equal(gnutls_privkey_import_x509_raw(
                                 key, &(gnutls_datum_t){ bytes.iov_base, (unsigned) bytes.iov_len },
                                 GNUTLS_X509_FMT_PEM, NULL, 0),
                         0);
        assert_int_equal(gnutls_pubkey_import_privkey(public, key, 0, 0), 0);
        assert_true(gnutls_pubkey_verify_data2(public, algorithm, 0,
                                               &(gnutls_datum_t){ (void *) data, (unsigned) strlen(data) },
                                               &(gnutls_datum_t){ signature, (unsigned) size }) >= 0);
        gnutls_pubkey_deinit(public);
        gnutls_privkey_deinit(key);
}

static void what_it_signs_can_be_checked(void **state) {
        static const struct {
                const char *name;
                gnutls_sign_algorithm_t algorithm;
        } rows[] = { { "RS256", GNUTLS_SIGN_RSA_SHA256 }, { "RS384", GNUTLS_SIGN_RSA_SHA384 } };
        _cleanup_secret_ Secret *pem = write_key(rsa, NULL);
        _cleanup_(signing_key_freep) SigningKey *k = NULL;
        _cleanup_free_ char *why = NULL;
        void *none;
        size_t n;

        assert_int_equal(signing_key_open(&(SigningKeyPlace){ .pem = pem }, &k, &why), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ void *signature = NULL;
                size_t size;

                assert_int_equal(signing_key_sign(k, rows[i].name, "a.b", 3, &signature, &size, &why), 0);
                assert_int_equal(size, 256);
                assert_signed(pem, rows[i].algorithm, "a.b", signature, size);
        }
        assert_int_equal(signing_key_sign(k, "RS512", "a.b", 3, &none, &n, &why), -EINVAL);
        assert_int_equal(signing_key_sign(k, "none", "a.b", 3, &none, &n, &why), -EINVAL);
        assert_null(why);
}

static void refuse(const Secret *pem, const char *uri, const Secret *pin, const char *says) {
        SigningKey *k = NULL;
        _cleanup_free_ char *why = NULL;

        assert_int_equal(
                signing_key_open(&(SigningKeyPlace){ .pem = pem, .uri = uri, .pin = pin }, &k, &why), 1);
        assert_null(k);
        assert_non_null(strstr(why, says));
}

static void keys_that_no_registry_takes_are_refused(void **state) {
        _cleanup_secret_ Secret *ec = write_fresh(GNUTLS_PK_EC,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)),
                                *small = write_fresh(GNUTLS_PK_RSA, 1024), *text = NULL, *empty = NULL;

        assert_int_equal(secret_new_string("no key", &text), 0);
        assert_int_equal(secret_new_string("", &empty), 0);
        refuse(ec, NULL, NULL, "no RSA key");
        refuse(small, NULL, NULL, "2048");
        refuse(text, NULL, NULL, "cannot be read");
        refuse(empty, NULL, NULL, "cannot be read");
        refuse(NULL, "pkcs11:token=nobody-has-this;object=x", NULL, "cannot be opened");
        refuse(NULL, "file:///etc/passwd", NULL, "cannot open keys of this kind");
}

static void an_encrypted_key_wants_its_password(void **state) {
        _cleanup_secret_ Secret *pem = write_key(rsa, "open sesame"), *right = NULL, *wrong = NULL;
        _cleanup_(signing_key_freep) SigningKey *k = NULL;
        _cleanup_free_ char *why = NULL;

        assert_int_equal(secret_new_string("open sesame", &right), 0);
        assert_int_equal(secret_new_string("open barley", &wrong), 0);
        refuse(pem, NULL, NULL, "cannot be read");
        refuse(pem, NULL, wrong, "cannot be read");
        assert_int_equal(signing_key_open(&(SigningKeyPlace){ .pem = pem, .pin = right }, &k, &why), 0);
}

/* The example key of RFC 7638 §3.1. */
static void a_thumbprint_is_that_of_the_rfc(void **state) {
        static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n"
                                  "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n"
                                  "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n"
                                  "7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
                                  "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n"
                                  "M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
                                  "gwIDAQAB\n"
                                  "-----END PUBLIC KEY-----\n";
        _cleanup_(public_key_done) PublicKey k = {};
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_free_ char *why = NULL;

        assert_int_equal(secret_new_string(pem, &text), 0);
        assert_int_equal(public_key_read(text, &k, &why), 0);
        assert_string_equal(k.exponent, "AQAB");
        assert_string_equal(k.thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

static void the_public_half_of_a_private_key_is_its_own(void **state) {
        _cleanup_secret_ Secret *pem = write_key(rsa, NULL), *half = write_public(rsa);
        _cleanup_(signing_key_freep) SigningKey *k = NULL;
        _cleanup_(public_key_done) PublicKey found = {}, again = {}, expected = {};
        _cleanup_free_ char *why = NULL;

        assert_int_equal(signing_key_open(&(SigningKeyPlace){ .pem = pem }, &k, &why), 0);
        assert_int_equal(signing_key_public(k, &found, &why), 0);
        assert_int_equal(signing_key_public(k, &again, &why), 0);
        assert_int_equal(public_key_read(half, &expected, &why), 0);
        assert_string_equal(found.modulus, expected.modulus);
        assert_string_equal(found.exponent, expected.exponent);
        assert_string_equal(found.thumbprint, expected.thumbprint);
        assert_string_equal(found.thumbprint, again.thumbprint);
        assert_int_equal(strlen(found.modulus), 342); /* 256 bytes */
        assert_int_equal(strlen(found.thumbprint), 43);
}

static int setup(void **state) {
        rsa = make_key(GNUTLS_PK_RSA, 2048);
        return 0;
}

static int teardown(void **state) {
        gnutls_x509_privkey_deinit(rsa);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_it_signs_can_be_checked),
                cmocka_unit_test(keys_that_no_registry_takes_are_refused),
                cmocka_unit_test(an_encrypted_key_wants_its_password),
                cmocka_unit_test(a_thumbprint_is_that_of_the_rfc),
                cmocka_unit_test(the_public_half_of_a_private_key_is_its_own),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
