/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an OIDC issuer says: where it gives tokens (OpenID Connect Discovery 1.0), and a token (RFC 6749
 * §5.1). Pure: answers in, values or failures of the identity step out. */

#include "base/failure.h"
#include "io/http.h"

/* Where the discovery document of an issuer lies. Returns 0 or -ENOMEM. */
int oidc_discovery_url(const char *issuer, char **ret);

typedef struct OidcIssuer {
        char *token_endpoint;
        char *mutual_tls_endpoint; /* the same for clients that show a certificate (RFC 8705 §5), or NULL */
        char *authentication;      /* the ways of clients to prove themselves, for people; or NULL */
} OidcIssuer;

void oidc_issuer_done(OidcIssuer *i);

/* Both expect an answer (a->problem is HTTP_OK) of status 200, and return 0, 1 with *reterr, or -ENOMEM.
 * `issuer` is what the document has to call itself, to the last character. */
int oidc_read_discovery(const char *issuer, const char *server, const HttpAnswer *a, OidcIssuer *ret,
                        Failure **reterr);
/* `member` is "access_token" or "id_token". */
int oidc_read_token(const char *server, const char *member, const HttpAnswer *a, Secret **ret,
                    Failure **reterr);
