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
#include "worker/identity/kubernetes.h"
#include "worker/kubernetes-access.h"
#include "worker/source-call.h"
#include "worker/token-request.h"

/* What a cluster gives at least; the token is used at once, and once. */
#define LIFETIME_DEFAULT (10 * USEC_PER_MINUTE)
#define LIFETIME_MAX USEC_PER_DAY

typedef struct KubernetesRun {
        TokenRequest wish; /* of the request's */
        KubernetesAccess access;
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
        kubernetes_access_done(&k->access);
        free(k);
}

static void on_answer(int r, const HttpAnswer *a, Failure *f, void *userdata) {
        KubernetesRun *k = userdata;
        Secret *token = NULL;

        if (r == 0)
                r = token_request_read(&k->wish, source_call_server(k->call), a, k->access.asker, &token,
                                       &f);
        k->handler(r, token, f, k->userdata);
}

static int on_not_started(sd_event_source *source, void *userdata) {
        KubernetesRun *k = userdata;

        k->handler(1, NULL, TAKE_PTR(k->failure), k->userdata);
        return 0;
}

static int ask(KubernetesRun *k, const SourceQuestion *q) {
        static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                               NULL };
        _cleanup_free_ char *url = NULL, *body = NULL;
        int r;

        r = token_request_url(&k->wish, &url);
        if (r >= 0)
                r = token_request_body(&k->wish, &body);
        if (r < 0)
                return r;
        return source_call_start(q, &k->access.trust,
                                 &(HttpRequest){
                                         .method = "POST",
                                         .url = url,
                                         .bearer = k->access.asker,
                                         .headers = (char *const *) headers,
                                         .body = body,
                                         .body_size = strlen(body),
                                 },
                                 on_answer, k, &k->call);
}

static int start(KubernetesRun *k, const SourceQuestion *q) {
        const char *lifetime = request_setting(q->request, "Lifetime");
        uint64_t usec = LIFETIME_DEFAULT;

        if (lifetime && parse_u64(lifetime, USEC_PER_SEC, LIFETIME_MAX, &usec) < 0)
                return -EINVAL;
        k->wish = (TokenRequest){
                .server = k->access.server,
                .namespace = k->access.namespace,
                .service_account = request_setting(q->request, "ServiceAccount"),
                .audience = q->request->audience,
                .bound_object = request_setting(q->request, "BoundObject"),
                .seconds = usec / USEC_PER_SEC,
        };
        if (!k->wish.service_account || !k->wish.audience)
                return -EINVAL;
        return ask(k, q);
}

static int kubernetes_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        KubernetesRun *k;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->handler = handler;
        k->userdata = userdata;
        r = kubernetes_access_read(q->request, &k->access, &k->failure);
        if (r == 0)
                r = start(k, q);
        else if (r > 0)
                /* By the event loop, as everything else is told. */
                r = sd_event_add_defer(q->context->event, &k->finish, on_not_started, k);
        if (r < 0) {
                kubernetes_free(k);
                return r;
        }
        *ret_run = k;
        return 0;
}

/* Tokens of service accounts name everything that Quay asks for. */
static const char not_the_api_server[] =
        "Check that Server= of the identity, or of its kubeconfig, is the API server itself: its tokens "
        "have all that Quay asks for, and the audience in Audience=";

const IdentitySourceType identity_kubernetes = {
        .name = "kubernetes",
        .start = kubernetes_start,
        .free = kubernetes_free,
        .remedies = {
                [LINT_EMPTY] = not_the_api_server,
                [LINT_MALFORMED] = not_the_api_server,
                [LINT_TOO_LONG] = not_the_api_server,
                [LINT_ALGORITHM] = "Let the cluster sign the tokens of service accounts with an RSA key "
                                   "(its API server's --service-account-signing-key-file); Quay takes no "
                                   "other kind",
                [LINT_NO_KEY_ID] = not_the_api_server,
                [LINT_NO_ISSUER] = not_the_api_server,
                [LINT_ISSUER] = "Give the cluster an https:// issuer that the registry reaches (its API "
                                "server's --service-account-issuer; OpenShift: "
                                "spec.serviceAccountIssuer)",
                [LINT_NO_SUBJECT] = not_the_api_server,
                [LINT_NO_DATES] = not_the_api_server,
                [LINT_AUDIENCE] = not_the_api_server,
                [LINT_EXPIRED] = "Compare the clock of this host ('timedatectl') with that of the API "
                                 "server: the token was made for this attempt",
        },
};
