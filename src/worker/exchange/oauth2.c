/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Token exchange (RFC 8693): one POST with the JWT to a token service, which stands in the job or is found
 * by discovery. What comes back is the password for the registry.
 *
 * Owns the request under way, its share of the connections and the proof of the client. The service is
 * trusted as section [Exchange] of the job says, not as the registry is. What the answers mean stands in
 * exchange/oauth2-answer. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "worker/client-proof.h"
#include "worker/exchange/elsewhere.h"
#include "worker/exchange/oauth2-answer.h"
#include "worker/exchange/oauth2.h"
#include "worker/oidc-answer.h"

#define TYPE_PREFIX "urn:ietf:params:oauth:token-type:"

typedef struct Oauth2Run {
        ExchangeQuestion question;
        sd_event_source *begin;
        Http *http;
        HttpTransfer *transfer;
        char *server;
        OidcIssuer issuer;
        ClientProof proof;
        ExchangeHandler handler;
        void *userdata;
} Oauth2Run;

static const char *setting(const Oauth2Run *x, const char *key) {
        return settings_get(x->question.request->exchange_settings, key);
}

static void drop_request(Oauth2Run *x) {
        x->transfer = http_transfer_free(x->transfer);
        x->http = http_pool_give_back(x->question.context->pool, x->http);
}

static void oauth2_free(void *run) {
        Oauth2Run *x = run;

        if (!x)
                return;
        sd_event_source_disable_unref(x->begin);
        drop_request(x);
        oidc_issuer_done(&x->issuer);
        client_proof_done(&x->proof);
        free(x->server);
        free(x);
}

static HttpTrust trust_of(const Oauth2Run *x) {
        struct iovec ca = secret_peek(named_secrets_get(&x->question.request->exchange_secrets, "CAFile"));

        return (HttpTrust){ .ca = ca.iov_base, .ca_size = ca.iov_len, .proxy = setting(x, "Proxy") };
}

/* Returns 0, -EINVAL for an address that cannot be one, or another errno. */
static int ask(Oauth2Run *x, const HttpTrust *trust, HttpRequest *request, HttpHandler handler) {
        const char *host = startswith(request->url, "https://");
        int r;

        if (!host)
                return -EINVAL;
        drop_request(x);
        free(TAKE_PTR(x->server));
        r = text_format(&x->server, "%.*s", (int) strcspn(host, "/?#"), host);
        if (r >= 0)
                r = http_pool_take(x->question.context->pool, trust, &x->http);
        if (r < 0)
                return r;
        request->timeout = x->question.timeout;
        return http_start(x->http, request, handler, x, &x->transfer);
}

/* Calls the handler with what a sentence about section [Exchange] says. Consumes `f`. */
static void end(Oauth2Run *x, int r, Failure *f) {
        x->handler(r, NULL, f, x->userdata);
}

/* Returns 1 with *reterr, or -ENOMEM. */
static int complain(const char *sentence, const char *hint, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_CONFIGURATION, REASON_CONFIGURATION_INVALID, "%s", sentence);
        if (r >= 0)
                r = failure_set_hint(f, "%s", hint);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* Returns 0 or -ENOMEM. */
static int refused(Oauth2Run *x, const HttpAnswer *a, Failure **reterr) {
        const Secret *const sent[] = { x->question.token, x->proof.secret, x->proof.assertion };
        const Oauth2Question q = {
                .server = x->server,
                .sent = sent,
                .n_sent = ELEMENTSOF(sent),
                .authentication = x->issuer.authentication,
                .now = now_real(),
        };

        return a->problem == HTTP_OK ? oauth2_refusal_read(&q, a, reterr)
                                     : oauth2_refusal_of_problem(&q, a, reterr);
}

static void on_token(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Oauth2Run *x = userdata;
        const ExchangeQuestion *q = &x->question;
        Credential *credential = NULL;
        Failure *failure = NULL;
        int r;

        if (a->problem != HTTP_OK || a->status != 200) {
                r = refused(x, a, &failure);
                end(x, r < 0 ? r : 1, failure);
                return;
        }
        r = oauth2_answer_read(
                &(Oauth2Question){ .server = x->server, .user = q->request->robot, .now = now_real() }, a,
                &credential, &failure, &q->answer->notices);
        x->handler(r, credential, failure, x->userdata);
}

static int send_request(Oauth2Run *x, const HttpTrust *trust, const char *endpoint) {
        const FormField fields[] = {
                { "grant_type", form_text("urn:ietf:params:oauth:grant-type:token-exchange") },
                { "subject_token", secret_peek(x->question.token) },
                { "subject_token_type", form_text(setting(x, "SubjectTokenType") ?: TYPE_PREFIX "jwt") },
                { "requested_token_type", form_text(setting(x, "RequestedTokenType")) },
                { "audience", form_text(setting(x, "Audience")) },
                { "resource", form_text(setting(x, "Resource")) },
                { "scope", form_text(setting(x, "Scope")) },
        };
        _cleanup_(client_post_done) ClientPost post = {};
        int r;

        r = client_proof_post(&x->proof, endpoint, fields, ELEMENTSOF(fields), &post);
        return r < 0 ? r : ask(x, trust, &post.request, on_token);
}

/* Returns 0 if on_token() is going to be called, else what the handler is to be told. */
static int ask_for_token(Oauth2Run *x, Failure **reterr) {
        const char *endpoint = setting(x, "TokenEndpoint") ?: x->issuer.token_endpoint;
        _cleanup_free_ char *complaint = NULL;
        HttpTrust trust = trust_of(x);
        int r;

        if (x->proof.kind == PROOF_CERTIFICATE && x->issuer.mutual_tls_endpoint)
                endpoint = x->issuer.mutual_tls_endpoint;
        r = client_proof_prepare(&x->proof, endpoint, &trust, &complaint);
        if (r > 0)
                return complain(complaint,
                                "Check ClientKeyFile= and ClientCertificateFile= in section [Exchange]",
                                reterr);
        if (r == 0)
                r = send_request(x, &trust, endpoint);
        if (r != -EINVAL)
                return r;
        return complain("The document of the token service names a token endpoint that is no https address",
                        "Let the service publish https addresses", reterr);
}

static void on_discovery(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Oauth2Run *x = userdata;
        Failure *f = NULL;
        int r;

        if (a->problem != HTTP_OK || a->status != 200) {
                r = refused(x, a, &f);
                r = r < 0 ? r : 1;
        } else {
                r = oidc_read_discovery(setting(x, "Issuer"), x->server, a, &x->issuer, &f);
                if (r > 0 && oauth2_refusal_of_discovery(&(Oauth2Question){ .server = x->server }, f) < 0) {
                        f = failure_free(f);
                        r = -ENOMEM;
                }
        }
        if (r == 0)
                r = ask_for_token(x, &f);
        if (r != 0)
                end(x, r, f);
}

static int on_begin(sd_event_source *source, void *userdata) {
        Oauth2Run *x = userdata;
        _cleanup_free_ char *url = NULL;
        HttpTrust trust = trust_of(x);
        Failure *f = NULL;
        int r;

        if (setting(x, "TokenEndpoint"))
                r = ask_for_token(x, &f);
        else {
                r = oidc_discovery_url(strempty(setting(x, "Issuer")), &url);
                if (r >= 0)
                        r = ask(x, &trust, &(HttpRequest){ .method = "GET", .url = url }, on_discovery);
        }
        if (r != 0)
                end(x, r, f);
        return 0;
}

static int oauth2_start(const ExchangeQuestion *q, ExchangeHandler handler, void *userdata, void **ret_run) {
        Oauth2Run *x;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (Oauth2Run){ .question = *q, .handler = handler, .userdata = userdata };
        r = client_proof_init(&x->proof, q->request->exchange_settings, &q->request->exchange_secrets);
        if (r >= 0)
                r = sd_event_add_defer(q->context->event, &x->begin, on_begin, x);
        if (r < 0) {
                oauth2_free(x);
                return r;
        }
        *ret_run = x;
        return 0;
}

const Exchange exchange_oauth2 = {
        .name = "oauth2",
        .giver = "the token service",
        .use = LINT_SUBJECT,
        .advise = elsewhere_advise,
        .start = oauth2_start,
        .free = oauth2_free,
};
