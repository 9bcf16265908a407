/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the API server of a cluster for a token of a service account (TokenRequest), as the account or
 * certificate that the daemon handed over.
 *
 * Owns the one request of an attempt. What is sent and what the answers mean stands in worker/token-request.
 * What this host shows to the cluster is never shown to the registry: that gets a token for its audience
 * alone. */

#include <errno.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "worker/client-certificate.h"
#include "worker/identity/kubernetes.h"
#include "worker/kubeconfig.h"
#include "worker/source-call.h"
#include "worker/token-request.h"

/* What a cluster gives at least; the token is used at once, and once. */
#define LIFETIME_DEFAULT (10 * USEC_PER_MINUTE)
#define LIFETIME_MAX USEC_PER_DAY

typedef struct KubernetesRun {
        TokenRequest wish; /* of the request's */
        Kubeconfig config; /* empty without a kubeconfig */
        const Secret *asker;
        SourceCall *call;
        sd_event_source *finish;
        Failure *failure; /* of a request that could not be made */
        SourceHandler handler;
        void *userdata;
} KubernetesRun;

static void kubernetes_free(void *run) {
        KubernetesRun *k = run;

        if (!k)
                return;
        source_call_free(k->call);
        sd_event_source_disable_unref(k->finish);
        failure_free(k->failure);
        kubeconfig_done(&k->config);
        free(k);
}

static void on_answer(int r, const HttpAnswer *a, Failure *f, void *userdata) {
        KubernetesRun *k = userdata;
        Secret *token = NULL;

        if (r == 0)
                r = token_request_read(&k->wish, source_call_server(k->call), a, k->asker, &token, &f);
        k->handler(r, token, f, k->userdata);
}

static int on_not_started(sd_event_source *source, void *userdata) {
        KubernetesRun *k = userdata;

        k->handler(1, NULL, TAKE_PTR(k->failure), k->userdata);
        return 0;
}

/* By the event loop, as everything else is told. */
static int tell_later(KubernetesRun *k, const SourceQuestion *q) {
        return sd_event_add_defer(q->context->event, &k->finish, on_not_started, k);
}

static int fail_later(KubernetesRun *k, const SourceQuestion *q, const char *complaint) {
        int r;

        r = failure_new(&k->failure, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED, "%s", complaint);
        if (r >= 0)
                r = failure_set_hint(
                        k->failure,
                        k->config.server
                                ? "Check client-certificate-data and client-key-data of the kubeconfig"
                                : "Check ClientCertificateFile= and ClientKeyFile= of the identity");
        return r < 0 ? r : tell_later(k, q);
}

static int ask(KubernetesRun *k, const SourceQuestion *q, const HttpTrust *trust) {
        static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                               NULL };
        _cleanup_free_ char *url = NULL, *body = NULL;
        int r;

        r = token_request_url(&k->wish, &url);
        if (r >= 0)
                r = token_request_body(&k->wish, &body);
        if (r < 0)
                return r;
        return source_call_start(q, trust,
                                 &(HttpRequest){
                                         .method = "POST",
                                         .url = url,
                                         .bearer = k->asker,
                                         .headers = (char *const *) headers,
                                         .body = body,
                                         .body_size = strlen(body),
                                 },
                                 on_answer, k, &k->call);
}

/* What the identity says goes before what its kubeconfig says. */
static HttpTrust trust_of(const KubernetesRun *k, const SourceQuestion *q) {
        HttpTrust trust = source_call_trust(q);
        struct iovec ca = secret_peek(k->config.ca);

        if (!trust.ca) {
                trust.ca = ca.iov_base;
                trust.ca_size = ca.iov_len;
        }
        if (!trust.proxy)
                trust.proxy = k->config.proxy;
        return trust;
}

static int start(KubernetesRun *k, const SourceQuestion *q) {
        const char *lifetime = request_setting(q->request, "Lifetime");
        HttpTrust trust = trust_of(k, q);
        _cleanup_free_ char *complaint = NULL;
        uint64_t usec = LIFETIME_DEFAULT;
        int r;

        if (lifetime && parse_u64(lifetime, USEC_PER_SEC, LIFETIME_MAX, &usec) < 0)
                return -EINVAL;
        k->wish = (TokenRequest){
                .server = k->config.server ?: request_setting(q->request, "Server"),
                .namespace = request_setting(q->request, "Namespace") ?: k->config.namespace ?: "default",
                .service_account = request_setting(q->request, "ServiceAccount"),
                .audience = q->request->audience,
                .bound_object = request_setting(q->request, "BoundObject"),
                .seconds = usec / USEC_PER_SEC,
        };
        if (!k->wish.server || !k->wish.service_account || !k->wish.audience)
                return -EINVAL;
        k->asker = k->config.token ?: request_secret(q->request, "TokenFile");
        trust.certificate = k->config.certificate ?: request_secret(q->request, "ClientCertificateFile");
        trust.key = k->config.key ?: request_secret(q->request, "ClientKeyFile");
        r = trust.certificate || trust.key
                    ? client_certificate_check(trust.certificate, trust.key, &complaint)
                    : 0;
        if (r != 0)
                return r < 0 ? r : fail_later(k, q, complaint);
        return ask(k, q, &trust);
}

/* Returns 0; 1 if there is nothing to start, which is going to be told; or a negative errno. */
static int read_config(KubernetesRun *k, const SourceQuestion *q) {
        const Secret *text = request_secret(q->request, "Kubeconfig");
        int r;

        if (!text)
                return 0;
        r = kubeconfig_read(text, request_setting(q->request, "Context"), &k->config, &k->failure);
        if (r <= 0)
                return r;
        r = tell_later(k, q);
        return r < 0 ? r : 1;
}

static int kubernetes_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        KubernetesRun *k;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->handler = handler;
        k->userdata = userdata;
        r = read_config(k, q);
        if (r == 0)
                r = start(k, q);
        if (r < 0) {
                kubernetes_free(k);
                return r;
        }
        *ret_run = k;
        return 0;
}

static const char *remedy(Reason reason, const JwtClaims *claims) {
        if (reason == REASON_TOKEN_ALGORITHM)
                return "Let the cluster sign the tokens of service accounts with an RSA key (its API "
                       "server's --service-account-signing-key-file); Quay takes no other kind";
        if (reason == REASON_TOKEN_ISSUER)
                return "Give the cluster an https:// issuer that the registry reaches (its API server's "
                       "--service-account-issuer; OpenShift: spec.serviceAccountIssuer)";
        if (reason == REASON_TOKEN_AUDIENCE)
                return "Check that Server= of the identity is the API server itself: it gives tokens for "
                       "the audience that is asked for, which is Audience=";
        return NULL;
}

const IdentitySourceType identity_kubernetes = {
        .name = "kubernetes",
        .start = kubernetes_start,
        .free = kubernetes_free,
        .remedy = remedy,
};
