/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the SPIFFE agent of this host for a JWT-SVID, as the process that this is: the agent looks at who
 * opened the connection, and whatever it finds out (user, path, unit) decides which identity that is.
 *
 * Owns one call. Nothing is kept of it, for a SPIRE agent hands out the same token until half of its life is
 * over, and that is as little as two minutes. What answers mean is for spiffe-answer. */

#include <errno.h>
#include <stdlib.h>

#include "base/scalar.h"
#include "worker/identity/spiffe.h"
#include "worker/spiffe-answer.h"

#define TIMEOUT_DEFAULT (20 * USEC_PER_SEC)
/* A workload with many identities gets a token of each. */
#define BODY_MAX (256 * 1024)
#define URL "http://localhost/SpiffeWorkloadAPI/FetchJWTSVID"

typedef struct SpiffeRun {
        HttpPool *pool;
        Http *http;
        HttpTransfer *transfer;
        SpiffeWish wish; /* its strings are the request's */
        SourceHandler handler;
        void *userdata;
} SpiffeRun;

static void spiffe_free(void *run) {
        SpiffeRun *s = run;

        if (!s)
                return;
        http_transfer_free(s->transfer);
        http_pool_give_back(s->pool, s->http);
        free(s);
}

static void on_answer(HttpTransfer *t, const HttpAnswer *answer, void *userdata) {
        SpiffeRun *s = userdata;
        Failure *f = NULL;
        Secret *token = NULL;
        int r;

        r = spiffe_answer(&s->wish, answer, &token, &f);
        s->handler(r, token, f, s->userdata);
}

static int start(SpiffeRun *s) {
        static const char *const headers[] = { "Content-Type: application/grpc", "TE: trailers",
                                               "workload.spiffe.io: true", NULL };
        _cleanup_free_ void *body = NULL;
        size_t size;
        int r;

        if (!s->wish.socket || !s->wish.audience)
                return -EINVAL;
        r = spiffe_request(&s->wish, &body, &size);
        if (r >= 0)
                r = http_pool_take(s->pool, &(HttpTrust){ .way = HTTP_WAY_GRPC, .socket = s->wish.socket },
                                   &s->http);
        if (r < 0)
                return r;
        return http_start(s->http,
                          &(HttpRequest){
                                  .method = "POST",
                                  .url = URL,
                                  .headers = (char *const *) headers,
                                  .body = body,
                                  .body_size = size,
                                  .timeout = s->wish.timeout,
                                  .body_max = BODY_MAX,
                          },
                          on_answer, s, &s->transfer);
}

static int spiffe_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        const char *timeout = request_setting(q->request, "Timeout");
        uint64_t limit;
        SpiffeRun *s;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->pool = q->context->pool;
        s->handler = handler;
        s->userdata = userdata;
        s->wish = (SpiffeWish){
                .socket = request_setting(q->request, "Socket"),
                .audience = q->request->audience,
                .spiffe_id = request_setting(q->request, "SPIFFEID"),
                .hint = request_setting(q->request, "Hint"),
        };
        limit = timeout && parse_u64(timeout, 1, USEC_PER_HOUR, &limit) >= 0 ? limit : TIMEOUT_DEFAULT;
        s->wish.timeout = limit < q->timeout ? limit : q->timeout;
        r = start(s);
        if (r < 0) {
                spiffe_free(s);
                return r;
        }
        *ret_run = s;
        return 0;
}

static const char not_an_agent[] =
        "Check that Socket= of the identity is that of a SPIFFE agent: it signs what it is asked for, with "
        "the audience in Audience=";
static const char no_issuer[] =
        "Set jwt_issuer = \"https://…\" in the SPIRE server's configuration, the address under which its "
        "OIDC discovery provider is reached, and restart it";

const IdentitySourceType identity_spiffe = {
        .name = "spiffe",
        .start = spiffe_start,
        .free = spiffe_free,
        .remedies = {
                [LINT_EMPTY] = not_an_agent,
                [LINT_MALFORMED] = not_an_agent,
                [LINT_ALGORITHM] = "Set jwt_key_type = \"rsa-2048\" in the SPIRE server's configuration "
                                   "and restart it: without it the server signs with an EC key, which "
                                   "Quay does not take",
                [LINT_NO_ISSUER] = no_issuer,
                [LINT_ISSUER] = no_issuer,
                [LINT_AUDIENCE] = not_an_agent,
                [LINT_EXPIRED] = "Compare the clock of this host ('timedatectl') with that of the SPIRE "
                                 "server, and check that the agent reaches the server",
        },
};
