/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Client credentials (RFC 6749 section 4.4) at an OIDC issuer that is found by discovery: two requests, one
 * for the document that says where tokens are given, one for a token.
 *
 * Owns the request under way and the proof that was sent, so that no word of the issuer repeats it. The
 * client proves itself by a secret, by a token that it signs, or by its certificate in the handshake; all
 * three come from the daemon. Refuses a document that is another issuer's. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/form.h"
#include "worker/client-certificate.h"
#include "worker/identity/oauth2.h"
#include "worker/jwt-writer.h"
#include "worker/oidc-answer.h"
#include "worker/signing-key.h"
#include "worker/source-call.h"
#include "worker/source-failure.h"

/* Of the token that a client signs for the issuer; both clocks may be a little off. */
#define ASSERTION_SECONDS 120

typedef enum ClientProof {
        PROOF_BASIC,
        PROOF_POST,
        PROOF_SIGNED,
        PROOF_CERTIFICATE,
        _PROOF_MAX,
        _PROOF_INVALID = -EINVAL,
} ClientProof;

static const char *const proof_table[_PROOF_MAX] = {
        [PROOF_BASIC] = "client_secret_basic",
        [PROOF_POST] = "client_secret_post",
        [PROOF_SIGNED] = "private_key_jwt",
        [PROOF_CERTIFICATE] = "tls_client_auth",
};

typedef struct Oauth2Run {
        SourceQuestion question;
        ClientProof proof;
        SourceCall *call;
        OidcIssuer issuer;
        Secret *assertion; /* PROOF_SIGNED: what was sent */
        SourceHandler handler;
        void *userdata;
} Oauth2Run;

static const char *setting(const Oauth2Run *x, const char *key) {
        return request_setting(x->question.request, key);
}

static const Secret *secret(const Oauth2Run *x, const char *key) {
        return request_secret(x->question.request, key);
}

static void oauth2_free(void *run) {
        Oauth2Run *x = run;

        if (!x)
                return;
        source_call_free(x->call);
        oidc_issuer_done(&x->issuer);
        secret_free(x->assertion);
        free(x);
}

/* What was asked for, else what the files are good for. */
static ClientProof choose_proof(const Request *q) {
        const char *name = request_setting(q, "ClientAuthentication");

        for (ClientProof p = 0; name && p < _PROOF_MAX; p++)
                if (streq(proof_table[p], name))
                        return p;
        if (name)
                return _PROOF_INVALID;
        if (request_secret(q, "ClientCertificateFile"))
                return PROOF_CERTIFICATE;
        return request_secret(q, "ClientKeyFile") ? PROOF_SIGNED : PROOF_BASIC;
}

/* Returns 1 with *reterr, or -ENOMEM. */
static int complain(const char *sentence, const char *hint, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s", sentence);
        if (r >= 0)
                r = failure_set_hint(f, "%s", hint);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* The words begin with the code of RFC 6749 section 5.2, where there is one. */
static int explain_refusal(const Oauth2Run *x, Failure *f) {
        const char *words = strempty(f->words);

        if (f->reason != REASON_IDENTITY_SOURCE_REFUSED)
                return 0;
        if (startswith(words, "invalid_client"))
                return failure_set_hint(
                        f,
                        "Check ClientID= of the identity, that its secret or key has not been "
                        "replaced or has expired at the issuer, and that the issuer takes %s "
                        "of this client (it names: %s)",
                        proof_table[x->proof], x->issuer.authentication ?: "nothing");
        if (startswith(words, "unauthorized_client") || startswith(words, "unsupported_grant_type"))
                return failure_set_hint(f, "Allow this client the grant 'client_credentials' at the issuer "
                                           "(Keycloak: 'Service accounts roles')");
        if (startswith(words, "invalid_scope"))
                return failure_set_hint(f, "Correct Scope= of the identity, or allow it to this client");
        if (startswith(words, "invalid_target"))
                return failure_set_hint(f,
                                        "Correct Resource= and Audience= of the identity, or allow them to "
                                        "this client");
        return 0;
}

/* Returns 1 with *reterr, or -ENOMEM. */
static int refused(Oauth2Run *x, const HttpAnswer *a, Failure **reterr) {
        const Secret *const sent[] = { secret(x, "ClientSecretFile"), x->assertion };
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = source_failure_of_status(a, source_call_server(x->call), sent, ELEMENTSOF(sent), &f);
        if (r >= 0)
                r = explain_refusal(x, f);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* With TLS 1.3 a server that does not like the certificate says so by ending the connection. */
static int blame_certificate(const Oauth2Run *x, Failure *f) {
        if (x->proof != PROOF_CERTIFICATE ||
            (f->reason != REASON_CONNECTION_LOST && f->reason != REASON_TLS_FAILED))
                return 0;
        return failure_set_hint(
                f,
                "Check that %s takes the certificate in ClientCertificateFile= of the identity: "
                "who signed it, its dates, and that the client is registered with it",
                source_call_server(x->call));
}

static void on_token(int r, const HttpAnswer *a, Failure *f, void *userdata) {
        Oauth2Run *x = userdata;
        const char *member = setting(x, "IdToken") ? "id_token" : "access_token";
        Secret *token = NULL;

        if (r > 0 && blame_certificate(x, f) < 0) {
                failure_free(f);
                x->handler(-ENOMEM, NULL, NULL, x->userdata);
                return;
        }
        if (r == 0 && a->status != 200)
                r = refused(x, a, &f);
        else if (r == 0)
                r = oidc_read_token(source_call_server(x->call), member, a, &token, &f);
        x->handler(r, token, f, x->userdata);
}

/* RFC 7523 section 3. Signed here and not in a thread: the key is in memory, and this takes a moment.
 * Returns 0, 1 with *reterr, or a negative errno. */
static int sign_assertion(Oauth2Run *x, const char *audience, char **reterr) {
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        int64_t now = (int64_t) (now_real() / USEC_PER_SEC);
        _cleanup_free_ void *signature = NULL;
        _cleanup_free_ char *input = NULL;
        char id[TOKEN_ID_MAX];
        size_t size;
        int r;

        r = signing_key_open(&(SigningKeyPlace){ .pem = secret(x, "ClientKeyFile") }, &key, reterr);
        if (r != 0)
                return r;
        r = token_id_make(id);
        if (r >= 0)
                r = jwt_signing_input(
                        &(JwtDraft){
                                .algorithm = "RS256",
                                .key_id = setting(x, "ClientKeyID"),
                                .issuer = setting(x, "ClientID"),
                                .subject = setting(x, "ClientID"),
                                .audience = audience,
                                .id = id,
                                .issued = now,
                                .expires = now + ASSERTION_SECONDS,
                        },
                        &input);
        if (r < 0)
                return r;
        r = signing_key_sign(key, "RS256", input, strlen(input), &signature, &size, reterr);
        return r != 0 ? r : jwt_assemble(input, signature, size, &x->assertion);
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int prepare_proof(Oauth2Run *x, HttpTrust *trust, const char *endpoint, Failure **reterr) {
        _cleanup_free_ char *complaint = NULL;
        int r = 0;

        if (x->proof == PROOF_SIGNED)
                r = sign_assertion(x, endpoint, &complaint);
        if (x->proof == PROOF_CERTIFICATE) {
                trust->certificate = secret(x, "ClientCertificateFile");
                trust->key = secret(x, "ClientKeyFile");
                r = client_certificate_check(trust->certificate, trust->key, &complaint);
        }
        return r <= 0 ? r
                      : complain(complaint,
                                 "Check ClientKeyFile= and ClientCertificateFile= of the identity", reterr);
}

static int make_body(const Oauth2Run *x, Secret **ret) {
        const Secret *shared = x->proof == PROOF_POST ? secret(x, "ClientSecretFile") : NULL;
        const FormField fields[] = {
                { "grant_type", form_text("client_credentials") },
                { "scope", form_text(setting(x, "Scope")) },
                { "audience", form_text(x->question.request->audience) },
                { "resource", form_text(setting(x, "Resource")) },
                { "client_id", form_text(x->proof == PROOF_BASIC ? NULL : setting(x, "ClientID")) },
                { "client_secret", secret_peek(shared) },
                { "client_assertion_type",
                  form_text(x->assertion ? "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                                         : NULL) },
                { "client_assertion", secret_peek(x->assertion) },
        };

        return form_encode(fields, ELEMENTSOF(fields), ret);
}

static int send_request(Oauth2Run *x, const HttpTrust *trust, const char *endpoint) {
        static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
                                               "Accept: application/json", NULL };
        _cleanup_secret_ Secret *body = NULL, *user = NULL, *password = NULL;
        HttpRequest q = { .method = "POST", .url = endpoint, .headers = (char *const *) headers };
        struct iovec bytes;
        int r;

        r = make_body(x, &body);
        if (r >= 0 && x->proof == PROOF_BASIC) {
                r = form_escape(form_text(setting(x, "ClientID")), &user);
                if (r >= 0)
                        r = form_escape(secret_peek(secret(x, "ClientSecretFile")), &password);
                q.user = secret_peek(user).iov_base;
                q.password = password;
        }
        if (r < 0)
                return r;
        bytes = secret_peek(body);
        q.body = bytes.iov_base;
        q.body_size = bytes.iov_len;
        x->call = source_call_free(x->call);
        return source_call_start(&x->question, trust, &q, on_token, x, &x->call);
}

/* Returns 0 if on_token() is going to be called, else what the handler is to be told. */
static int ask_for_token(Oauth2Run *x, Failure **reterr) {
        HttpTrust trust = source_call_trust(&x->question);
        const char *endpoint = x->issuer.token_endpoint;
        int r;

        if (x->proof == PROOF_CERTIFICATE && x->issuer.mutual_tls_endpoint)
                endpoint = x->issuer.mutual_tls_endpoint;
        r = prepare_proof(x, &trust, endpoint, reterr);
        if (r != 0)
                return r;
        r = send_request(x, &trust, endpoint);
        if (r != -EINVAL)
                return r;
        return complain("The issuer's discovery document names a token endpoint that is no https address",
                        "Let the issuer publish https addresses", reterr);
}

static void on_discovery(int r, const HttpAnswer *a, Failure *f, void *userdata) {
        Oauth2Run *x = userdata;

        if (r == 0 && a->status != 200) {
                r = refused(x, a, &f);
                if (r > 0 && a->status >= 400 && a->status < 500 && a->status != 429 &&
                    failure_set_hint(
                            f, "Check Issuer= of the identity: it has no discovery document there") < 0) {
                        f = failure_free(f);
                        r = -ENOMEM;
                }
        } else if (r == 0)
                r = oidc_read_discovery(setting(x, "Issuer"), source_call_server(x->call), a, &x->issuer,
                                        &f);
        if (r == 0)
                r = ask_for_token(x, &f);
        if (r != 0)
                x->handler(r, NULL, f, x->userdata);
}

static int start(Oauth2Run *x) {
        HttpTrust trust = source_call_trust(&x->question);
        _cleanup_free_ char *url = NULL;
        int r;

        x->proof = choose_proof(x->question.request);
        if (x->proof < 0 || !setting(x, "Issuer") || !setting(x, "ClientID"))
                return -EINVAL;
        r = oidc_discovery_url(setting(x, "Issuer"), &url);
        if (r < 0)
                return r;
        return source_call_start(&x->question, &trust, &(HttpRequest){ .method = "GET", .url = url },
                                 on_discovery, x, &x->call);
}

static int oauth2_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        Oauth2Run *x;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (Oauth2Run){ .question = *q, .handler = handler, .userdata = userdata };
        r = start(x);
        if (r < 0) {
                oauth2_free(x);
                return r;
        }
        *ret_run = x;
        return 0;
}

static const char *remedy(Reason reason, const JwtClaims *claims) {
        if (reason == REASON_TOKEN_MALFORMED)
                return "Let the issuer give this client access tokens that are JWTs (often by naming an API "
                       "of it in Resource= or Audience=), or take the ID token: IdToken=yes";
        if (reason == REASON_TOKEN_ALGORITHM)
                return "Let the issuer sign the tokens of this client with an RSA key, by RS256 or RS384; "
                       "Quay takes no other algorithm";
        if (reason == REASON_TOKEN_AUDIENCE)
                return "Let the issuer put the audience into the tokens of this client (Keycloak: an "
                       "audience mapper), ask for it by Resource= or Scope=, or correct Audience=";
        return NULL;
}

const IdentitySourceType identity_oauth2 = {
        .name = "oauth2",
        .start = oauth2_start,
        .free = oauth2_free,
        .remedy = remedy,
};
