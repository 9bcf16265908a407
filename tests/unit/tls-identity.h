/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys and certificates for tests: an authority, and servers that it vouches for. */

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

#include "unit.h"

#define PEM_MAX 4096
#define DAY 86400

typedef struct TlsIdentity {
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_t certificate;
} TlsIdentity;

static inline TlsIdentity make_identity(const TlsIdentity *signer, const char *address, time_t from,
                                        time_t to) {
        TlsIdentity i;
        in_addr_t a = inet_addr(address ?: "127.0.0.1");

        assert_ok(gnutls_x509_privkey_init(&i.key));
        assert_ok(gnutls_x509_privkey_generate2(
                i.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0));
        assert_ok(gnutls_x509_crt_init(&i.certificate));
        assert_ok(gnutls_x509_crt_set_version(i.certificate, 3));
        assert_ok(gnutls_x509_crt_set_serial(i.certificate, address ? "\2" : "\1", 1));
        assert_ok(gnutls_x509_crt_set_key(i.certificate, i.key));
        assert_ok(gnutls_x509_crt_set_activation_time(i.certificate, from));
        assert_ok(gnutls_x509_crt_set_expiration_time(i.certificate, to));
        assert_ok(gnutls_x509_crt_set_dn(i.certificate, address ? "CN=server" : "CN=authority", NULL));
        assert_ok(gnutls_x509_crt_set_basic_constraints(i.certificate, address ? 0 : 1, -1));
        assert_ok(gnutls_x509_crt_set_key_usage(i.certificate, address ? GNUTLS_KEY_DIGITAL_SIGNATURE
                                                                       : GNUTLS_KEY_KEY_CERT_SIGN));
        if (address)
                assert_ok(gnutls_x509_crt_set_subject_alt_name(i.certificate, GNUTLS_SAN_IPADDRESS, &a,
                                                               sizeof(a), GNUTLS_FSAN_SET));
        assert_ok(gnutls_x509_crt_sign2(i.certificate, signer ? signer->certificate : i.certificate,
                                        signer ? signer->key : i.key, GNUTLS_DIG_SHA256, 0));
        return i;
}

static inline void identity_done(TlsIdentity *i) {
        gnutls_x509_crt_deinit(i->certificate);
        gnutls_x509_privkey_deinit(i->key);
}

static inline void make_authority(TlsIdentity *ret, char pem[static PEM_MAX]) {
        size_t size = PEM_MAX - 1;

        *ret = make_identity(NULL, NULL, time(NULL) - DAY, time(NULL) + DAY);
        assert_ok(gnutls_x509_crt_export(ret->certificate, GNUTLS_X509_FMT_PEM, pem, &size));
        pem[size] = '\0';
}
