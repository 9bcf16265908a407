/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens certificate and key as the handshake will, by GnuTLS, which also compares them.
 *
 * Owns nothing beyond the call. Does not judge dates or who signed: that is for the server. */

#include <errno.h>
#include <gnutls/gnutls.h>

#include "base/text.h"
#include "worker/client-certificate.h"

static gnutls_datum_t datum_of(const Secret *s) {
        struct iovec bytes = secret_peek(s);

        return (gnutls_datum_t){ .data = bytes.iov_base, .size = (unsigned) bytes.iov_len };
}

int client_certificate_check(const Secret *certificate, const Secret *key, char **reterr) {
        gnutls_certificate_credentials_t credentials;
        gnutls_datum_t public = datum_of(certificate), private = datum_of(key);
        int r;

        if (gnutls_certificate_allocate_credentials(&credentials) < 0)
                return -ENOMEM;
        r = gnutls_certificate_set_x509_key_mem(credentials, &public, &private, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
        if (r >= 0)
                return 0;
        if (r == GNUTLS_E_MEMORY_ERROR)
                return -ENOMEM;
        r = text_format(reterr, "The certificate of this host and its key cannot be used: %s",
                        gnutls_strerror(r));
        return r < 0 ? r : 1;
}
