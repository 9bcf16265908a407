/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the API server of a cluster for one Secret, or to change it: one call, one answer.
 *
 * Owns the transfer and its share of the connections. Decides nothing: what to do with what was found is for
 * the daemon, which asks again. What stands in the Secret is erased with the answer. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "worker/cluster-call.h"
#include "worker/cluster.h"
#include "worker/kubernetes-access.h"

/* The largest Secret in base64, and what else an object says of itself. */
#define ANSWER_MAX (4 * 1024 * 1024)

struct Cluster {
        const WorkerContext *context;
        Request *request;
        KubernetesAccess access;
        ClusterCall call;
        Http *http;
        HttpTransfer *transfer;
        sd_event_source *finish;
        Answer *answer;
        ClusterHandler handler;
        void *userdata;
};

Cluster *cluster_free(Cluster *c) {
        if (!c)
                return NULL;
        http_transfer_free(c->transfer);
        http_pool_give_back(c->context->pool, c->http);
        sd_event_source_disable_unref(c->finish);
        kubernetes_access_done(&c->access);
        request_free(c->request);
        answer_free(c->answer);
        free(c);
        return NULL;
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Cluster *c = userdata;

        c->answer->well = cluster_call_read(&c->call, a, &c->answer->cluster, &c->answer->failure) == 0;
        c->handler(c, c->answer, c->userdata);
}

static int on_not_started(sd_event_source *source, void *userdata) {
        Cluster *c = userdata;

        c->handler(c, c->answer, c->userdata);
        return 0;
}

/* It is told by the event loop, as everything else is. What is wrong with a file or a setting is wrong with
 * the target here. */
static int fail_later(Cluster *c) {
        c->answer->failure->step = STEP_PUBLICATION;
        c->answer->failure->reason = REASON_TARGET_REFUSED;
        return sd_event_add_defer(c->context->event, &c->finish, on_not_started, c);
}

static int start(Cluster *c) {
        _cleanup_free_ char *url = NULL, *type = NULL;
        _cleanup_secret_ Secret *body = NULL;
        struct iovec bytes;
        int r;

        c->call = (ClusterCall){ c->request->action, c->request->cluster, c->access.server,
                                 c->access.namespace, c->access.asker };
        r = cluster_call_url(&c->call, &url);
        if (r >= 0)
                r = cluster_call_body(&c->call, &body);
        if (r >= 0)
                r = text_format(&type, "Content-Type: %s", cluster_call_content_type(&c->call));
        if (r >= 0)
                r = http_pool_take(c->context->pool, &c->access.trust, &c->http);
        if (r < 0)
                return r;
        bytes = secret_peek(body);
        return http_start(
                c->http,
                &(HttpRequest){
                        .method = cluster_call_method(&c->call),
                        .url = url,
                        .bearer = c->access.asker,
                        .headers = (char *const[]){ (char *) "Accept: application/json", type, NULL },
                        .body = bytes.iov_base,
                        .body_size = bytes.iov_len,
                        .timeout = c->request->timeout,
                        .body_max = ANSWER_MAX,
                },
                on_answer, c, &c->transfer);
}

int cluster_new(const WorkerContext *context, Request *request, ClusterHandler handler, void *userdata,
                Cluster **ret) {
        _cleanup_(cluster_freep) Cluster *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                request_free(request);
                return -ENOMEM;
        }
        *c = (Cluster){ .context = context, .request = request, .handler = handler, .userdata = userdata };
        c->answer = calloc(1, sizeof(*c->answer));
        if (!c->answer)
                return -ENOMEM;
        r = kubernetes_access_read(request, &c->access, &c->answer->failure);
        if (r == 0)
                r = start(c);
        else if (r > 0)
                r = fail_later(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
