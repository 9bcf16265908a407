/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a client of an OAuth 2 token endpoint proves who it is: by a secret, a token that it signs, its
 * certificate in the handshake, or not at all. */

#include "codec/form.h"
#include "io/http.h"
#include "model/request.h"

typedef enum ClientProofKind {
        PROOF_BASIC,
        PROOF_POST,
        PROOF_SIGNED,
        PROOF_CERTIFICATE,
        PROOF_NONE, /* a public client, or one that needs no name */
        _PROOF_MAX,
        _PROOF_INVALID = -EINVAL,
} ClientProofKind;

/* "client_secret_basic" … */
const char *client_proof_kind_to_string(ClientProofKind k);

typedef struct ClientProof {
        ClientProofKind kind;
        const char *id, *key_id;
        const Secret *secret, *key, *certificate; /* belong to the request */
        Secret *assertion; /* PROOF_SIGNED: what is sent, after client_proof_prepare() */
} ClientProof;

void client_proof_done(ClientProof *p);

/* What ClientAuthentication= among the settings asks for, else what the files are good for. Returns 0, or
 * -EINVAL for a kind that there is not. */
int client_proof_init(ClientProof *p, char *const *settings, const NamedSecrets *secrets);

/* Signs for `endpoint`, or adds the certificate to `trust`. Returns 0; 1 with *reterr, a sentence about the
 * key or the certificate; or a negative errno. */
int client_proof_prepare(ClientProof *p, const char *endpoint, HttpTrust *trust, char **reterr);

/* A POST of a form with the proof in it, as application/x-www-form-urlencoded. */
typedef struct ClientPost {
        HttpRequest request;
        Secret *body, *user, *password;
} ClientPost;

void client_post_done(ClientPost *p);

/* Empty fields are left out. At most CLIENT_FIELDS_MAX of them. Returns 0, -E2BIG or -ENOMEM. */
#define CLIENT_FIELDS_MAX 12
int client_proof_post(const ClientProof *p, const char *endpoint, const FormField *fields, size_t n_fields,
                      ClientPost *ret);
