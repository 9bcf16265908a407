/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Client credentials (RFC 6749 section 4.4) at an OIDC issuer that is found by discovery: two requests, one
 * for the document that says where tokens are given, one for a token.
 *
 * Owns the request under way and the proof that was sent, so that no word of the issuer repeats it. How the
 * client proves itself stands in worker/client-proof. Refuses a document that is another issuer's. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "worker/client-proof.h"
#include "worker/identity/oauth2.h"
#include "worker/oidc-answer.h"
#include "worker/source-call.h"
#include "worker/source-failure.h"

typedef struct Oauth2Run {
        SourceQuestion question;
        ClientProof proof;
        SourceCall *call;
        OidcIssuer issuer;
        SourceHandler handler;
        void *userdata;
} Oauth2Run;

static const char *setting(const Oauth2Run *x, const char *key) {
        return request_setting(x->question.request, key);
}

static void oauth2_free(void *run) {
        Oauth2Run *x = run;

        if (!x)
                return;
        source_call_free(x->call);
        oidc_issuer_done(&x->issuer);
        client_proof_done(&x->proof);
        free(x);
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
                        client_proof_kind_to_string(x->proof.kind), x->issuer.authentication ?: "nothing");
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
        const Secret *const sent[] = { x->proof.secret, x->proof.assertion };
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
        if (x->proof.kind != PROOF_CERTIFICATE ||
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

static int send_request(Oauth2Run *x, const HttpTrust *trust, const char *endpoint) {
        const FormField fields[] = {
                { "grant_type", form_text("client_credentials") },
                { "scope", form_text(setting(x, "Scope")) },
                { "audience", form_text(x->question.request->audience) },
                { "resource", form_text(setting(x, "Resource")) },
        };
        _cleanup_(client_post_done) ClientPost post = {};
        int r;

        r = client_proof_post(&x->proof, endpoint, fields, ELEMENTSOF(fields), &post);
        if (r < 0)
                return r;
        x->call = source_call_free(x->call);
        return source_call_start(&x->question, trust, &post.request, on_token, x, &x->call);
}

/* Returns 0 if on_token() is going to be called, else what the handler is to be told. */
static int ask_for_token(Oauth2Run *x, Failure **reterr) {
        HttpTrust trust = source_call_trust(&x->question);
        const char *endpoint = x->issuer.token_endpoint;
        _cleanup_free_ char *complaint = NULL;
        int r;

        if (x->proof.kind == PROOF_CERTIFICATE && x->issuer.mutual_tls_endpoint)
                endpoint = x->issuer.mutual_tls_endpoint;
        r = client_proof_prepare(&x->proof, endpoint, &trust, &complaint);
        if (r > 0)
                return complain(complaint, "Check ClientKeyFile= and ClientCertificateFile= of the identity",
                                reterr);
        if (r == 0)
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

        r = client_proof_init(&x->proof, x->question.request->settings, &x->question.request->secrets);
        if (r < 0)
                return r;
        if (!setting(x, "Issuer") || !setting(x, "ClientID"))
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

const IdentitySourceType identity_oauth2 = {
        .name = "oauth2",
        .start = oauth2_start,
        .free = oauth2_free,
        .remedies = {
                [LINT_EMPTY] = "Let the issuer give this client access tokens that are JWTs, or take the ID "
                               "token: IdToken=yes",
                [LINT_MALFORMED] = "Let the issuer give this client access tokens that are JWTs (often by "
                                   "naming an API of it in Resource= or Audience=), or take the ID token: "
                                   "IdToken=yes",
                [LINT_TOO_LONG] = "Let the issuer put fewer claims into the tokens of this client "
                                  "(Keycloak: its client scope 'roles'); Quay takes none of more than about "
                                  "6 KB",
                [LINT_ALGORITHM] = "Let the issuer sign the tokens of this client with an RSA key, by "
                                   "RS256 or RS384; Quay takes no other algorithm",
                [LINT_ISSUER] = "Give the issuer an https:// address (Keycloak: its 'hostname' setting), "
                                "and write it into Issuer= of the identity",
                [LINT_NO_SUBJECT] = "Let the issuer put a 'sub' into the tokens of this client (Keycloak: "
                                    "its client scope 'basic')",
                [LINT_AUDIENCE] = "Let the issuer put the audience into the tokens of this client "
                                  "(Keycloak: an audience mapper), ask for it by Resource= or Scope=, or "
                                  "correct Audience=",
                [LINT_EXPIRED] = "Compare the clock of this host ('timedatectl') with that of the issuer, "
                                 "and let its tokens live for some minutes",
        },
};
