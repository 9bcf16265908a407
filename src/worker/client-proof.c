/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a client of an OAuth 2 token endpoint sends to prove who it is (RFC 6749 section 2.3, RFC 7523
 * section 3, RFC 8705 section 2).
 *
 * Owns the proof that is sent, so that no word of the endpoint repeats it. Knows neither what is asked for
 * nor who asks. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "worker/client-certificate.h"
#include "worker/client-proof.h"
#include "worker/jwt-writer.h"
#include "worker/signing-key.h"

/* Of the token that a client signs for the endpoint; both clocks may be a little off. */
#define ASSERTION_SECONDS 120

static const char *const proof_table[_PROOF_MAX] = {
        [PROOF_BASIC] = "client_secret_basic",
        [PROOF_POST] = "client_secret_post",
        [PROOF_SIGNED] = "private_key_jwt",
        [PROOF_CERTIFICATE] = "tls_client_auth",
        [PROOF_NONE] = "none",
};

const char *client_proof_kind_to_string(ClientProofKind k) {
        return k >= 0 && k < _PROOF_MAX ? proof_table[k] : NULL;
}

static ClientProofKind kind_from_string(const char *s) {
        for (ClientProofKind k = 0; k < _PROOF_MAX; k++)
                if (streq(proof_table[k], s))
                        return k;
        return _PROOF_INVALID;
}

void client_proof_done(ClientProof *p) {
        secret_free(p->assertion);
        *p = (ClientProof){};
}

int client_proof_init(ClientProof *p, char *const *settings, const NamedSecrets *secrets) {
        const char *name = settings_get(settings, "ClientAuthentication");

        *p = (ClientProof){
                .id = settings_get(settings, "ClientID"),
                .key_id = settings_get(settings, "ClientKeyID"),
                .secret = named_secrets_get(secrets, "ClientSecretFile"),
                .key = named_secrets_get(secrets, "ClientKeyFile"),
                .certificate = named_secrets_get(secrets, "ClientCertificateFile"),
        };
        p->kind = name             ? kind_from_string(name)
                  : p->certificate ? PROOF_CERTIFICATE
                  : p->key         ? PROOF_SIGNED
                  : p->secret      ? PROOF_BASIC
                                   : PROOF_NONE;
        return p->kind < 0 ? -EINVAL : 0;
}

/* Signed here and not in a thread: the key is in memory, and this takes a moment. */
static int sign_assertion(ClientProof *p, const char *audience, char **reterr) {
        const SigningKeyPlace place = { .pem = p->key };
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        int64_t now = (int64_t) (now_real() / USEC_PER_SEC);
        _cleanup_free_ void *signature = NULL;
        _cleanup_free_ char *input = NULL;
        char id[TOKEN_ID_MAX];
        size_t size;
        int r;

        if (signing_key_in_device(&place)) {
                r = text_format(reterr,
                                "ClientKeyFile= is a key in a TPM2, which Source=signed alone can use");
                return r < 0 ? r : 1;
        }
        r = signing_key_open(&place, &key, reterr);
        if (r != 0)
                return r;
        r = token_id_make(id);
        if (r >= 0)
                r = jwt_signing_input(
                        &(JwtDraft){
                                .algorithm = "RS256",
                                .key_id = p->key_id,
                                .issuer = p->id,
                                .subject = p->id,
                                .audience = audience,
                                .id = id,
                                .issued = now,
                                .expires = now + ASSERTION_SECONDS,
                        },
                        &input);
        if (r < 0)
                return r;
        r = signing_key_sign(key, "RS256", input, strlen(input), &signature, &size, reterr);
        return r != 0 ? r : jwt_assemble(input, signature, size, &p->assertion);
}

int client_proof_prepare(ClientProof *p, const char *endpoint, HttpTrust *trust, char **reterr) {
        if (p->kind == PROOF_SIGNED)
                return sign_assertion(p, endpoint, reterr);
        if (p->kind != PROOF_CERTIFICATE)
                return 0;
        trust->certificate = p->certificate;
        trust->key = p->key;
        return client_certificate_check(trust->certificate, trust->key, reterr);
}

void client_post_done(ClientPost *p) {
        secret_free(p->body);
        secret_free(p->user);
        secret_free(p->password);
        *p = (ClientPost){};
}

static int make_body(const ClientProof *p, const FormField *fields, size_t n_fields, Secret **ret) {
        const FormField proof[] = {
                { "client_id", form_text(p->kind == PROOF_BASIC ? NULL : p->id) },
                { "client_secret", secret_peek(p->kind == PROOF_POST ? p->secret : NULL) },
                { "client_assertion_type",
                  form_text(p->assertion ? "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                                         : NULL) },
                { "client_assertion", secret_peek(p->assertion) },
        };
        FormField all[CLIENT_FIELDS_MAX + ELEMENTSOF(proof)];

        if (n_fields > CLIENT_FIELDS_MAX)
                return -E2BIG;
        memcpy(all, fields, n_fields * sizeof(*fields));
        memcpy(all + n_fields, proof, sizeof(proof));
        return form_encode(all, n_fields + ELEMENTSOF(proof), ret);
}

int client_proof_post(const ClientProof *p, const char *endpoint, const FormField *fields, size_t n_fields,
                      ClientPost *ret) {
        static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
                                               "Accept: application/json", NULL };
        _cleanup_(client_post_done) ClientPost post = {};
        struct iovec bytes;
        int r;

        r = make_body(p, fields, n_fields, &post.body);
        if (r >= 0 && p->kind == PROOF_BASIC) {
                r = form_escape(form_text(p->id), &post.user);
                if (r >= 0)
                        r = form_escape(secret_peek(p->secret), &post.password);
        }
        if (r < 0)
                return r;
        bytes = secret_peek(post.body);
        post.request = (HttpRequest){
                .method = "POST",
                .url = endpoint,
                .user = post.user ? secret_peek(post.user).iov_base : NULL,
                .password = post.password,
                .headers = (char *const *) headers,
                .body = bytes.iov_base,
                .body_size = bytes.iov_len,
        };
        *ret = post;
        post = (ClientPost){};
        return 0;
}
