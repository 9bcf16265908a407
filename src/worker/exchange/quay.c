/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Quay's exchange: one GET with the robot account as user and the JWT as password.
 *
 * Owns the transfer under way. There are no retries here: each exchange costs the registry a row in its
 * audit log and two requests to the issuer, and when to try again is for the daemon to say. */

#include <errno.h>

#include "base/text.h"
#include "worker/exchange/quay-answer.h"
#include "worker/exchange/quay-refusal.h"
#include "worker/exchange/quay.h"
#include "worker/http-failure.h"
#include "worker/http-trace.h"

typedef struct QuayRun {
        ExchangeQuestion question;
        HttpTransfer *transfer;
        ExchangeHandler handler;
        void *userdata;
} QuayRun;

static void quay_free(void *run) {
        QuayRun *x = run;

        if (!x)
                return;
        http_transfer_free(x->transfer);
        free(x);
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        QuayRun *x = userdata;
        const ExchangeQuestion *q = &x->question;
        const QuayQuestion asked = {
                .registry = q->request->registry,
                .robot = q->request->robot,
                .token = q->token,
                .claims = q->claims,
                .now = now_real(),
        };
        Credential *credential = NULL;
        Failure *failure = NULL;
        int r;

        if (q->request->kind == REQUEST_TEST && http_trace(&q->answer->trace, a, q->request->registry) < 0) {
                x->handler(-ENOMEM, NULL, NULL, x->userdata);
                return;
        }
        q->answer->skew_known = http_skew(a, now_boot(), asked.now, &q->answer->skew_usec) > 0;
        if (a->problem == HTTP_OK)
                r = quay_answer_read(&asked, a, &credential, &failure, &q->answer->notices);
        else {
                r = quay_refusal_of_problem(&asked, a, &failure);
                r = r < 0 ? r : 1;
        }
        x->handler(r, credential, failure, x->userdata);
}

static int quay_start(const ExchangeQuestion *q, ExchangeHandler handler, void *userdata, void **ret_run) {
        _cleanup_free_ char *url = NULL;
        QuayRun *x;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (QuayRun){ .question = *q, .handler = handler, .userdata = userdata };
        r = text_format(&url, "https://%s/oauth2/federation/robot/token", q->request->registry);
        if (r >= 0)
                r = http_start(q->http,
                               &(HttpRequest){
                                       .method = "GET",
                                       .url = url,
                                       .user = q->request->robot,
                                       .password = q->token,
                                       .timeout = q->timeout,
                                       /* Each step is to be tried, not remembered. */
                                       .connects = q->request->kind == REQUEST_TEST,
                               },
                               on_answer, x, &x->transfer);
        if (r < 0) {
                quay_free(x);
                return r;
        }
        *ret_run = x;
        return 0;
}

const Exchange exchange_quay = {
        .name = "quay",
        .use = LINT_QUAY,
        .start = quay_start,
        .free = quay_free,
};
