/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks a service for an identity.
 *
 * Owns the transfer under way and its share of the connections. Tells only two cases apart, whether an
 * answer came or not; what an answer means is for the source, with the sentences of
 * worker/source-failure. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "worker/source-call.h"
#include "worker/source-failure.h"

struct SourceCall {
        HttpPool *pool;
        Http *http;
        HttpTransfer *transfer;
        char *server;
        SourceCallHandler handler;
        void *userdata;
};

HttpTrust source_call_trust(const SourceQuestion *q) {
        struct iovec ca = secret_peek(request_secret(q->request, "CAFile"));

        return (HttpTrust){
                .ca = ca.iov_base,
                .ca_size = ca.iov_len,
                .proxy = request_setting(q->request, "Proxy"),
        };
}

SourceCall *source_call_free(SourceCall *c) {
        if (!c)
                return NULL;
        http_transfer_free(c->transfer);
        http_pool_give_back(c->pool, c->http);
        free(c->server);
        free(c);
        return NULL;
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        SourceCall *c = userdata;
        Failure *f = NULL;
        int r = 0;

        if (a->problem != HTTP_OK) {
                r = source_failure_of_problem(a, c->server, &f);
                r = r < 0 ? r : 1;
        }
        c->handler(r, r == 0 ? a : NULL, f, c->userdata);
}

/* Host and port of the URL, as they stand there. */
static int name_server(const HttpTrust *trust, const char *url, char **ret) {
        const char *host = strstr(url, "://");

        if (trust->socket)
                return free_and_strdup(ret, trust->socket);
        host = host ? host + strlen("://") : url;
        return text_format(ret, "%.*s", (int) strcspn(host, "/?#"), host);
}

int source_call_start(const SourceQuestion *q, const HttpTrust *trust, const HttpRequest *request,
                      SourceCallHandler handler, void *userdata, SourceCall **ret) {
        _cleanup_(source_call_freep) SourceCall *c = NULL;
        HttpRequest bounded = *request;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->pool = q->context->pool;
        c->handler = handler;
        c->userdata = userdata;
        bounded.timeout = request->timeout ?: q->timeout;
        r = name_server(trust, request->url, &c->server);
        if (r >= 0)
                r = http_pool_take(c->pool, trust, &c->http);
        if (r >= 0)
                r = http_start(c->http, &bounded, on_answer, c, &c->transfer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

const char *source_call_server(const SourceCall *c) {
        return c->server;
}
