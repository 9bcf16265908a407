/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The JWT is the credential, under the user name that the job gives.
 *
 * Owns nothing but the moment in which it tells so. Asks nobody: whether the registry takes it is seen in
 * the verification. */

#include "base/text.h"
#include "worker/exchange/elsewhere.h"
#include "worker/exchange/token-life.h"
#include "worker/exchange/token.h"

/* Before this moment no clock of ours is right. */
#define CLOCK_SANE (UINT64_C(1767225600) * USEC_PER_SEC)

typedef struct TokenRun {
        ExchangeQuestion question;
        usec_t started_boot;
        sd_event_source *soon;
        ExchangeHandler handler;
        void *userdata;
} TokenRun;

static void token_free(void *run) {
        TokenRun *x = run;

        if (!x)
                return;
        sd_event_source_disable_unref(x->soon);
        free(x);
}

static int on_soon(sd_event_source *source, void *userdata) {
        TokenRun *x = userdata;
        const ExchangeQuestion *q = &x->question;
        usec_t now = now_real();
        Credential *credential = NULL;
        Failure *failure = NULL;
        int r;

        r = token_life_credential(
                &(TokenLife){
                        .user = q->request->robot,
                        .token = q->token,
                        .claims = q->claims,
                        .giver = "the identity",
                        .now = now >= CLOCK_SANE ? (int64_t) (now / USEC_PER_SEC) : 0,
                        .obtained_boot = x->started_boot,
                },
                &credential, &failure, &q->answer->notices);
        x->handler(r, credential, failure, x->userdata);
        return 0;
}

static int token_start(const ExchangeQuestion *q, ExchangeHandler handler, void *userdata, void **ret_run) {
        TokenRun *x;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (TokenRun){
                .question = *q, .started_boot = now_boot(), .handler = handler, .userdata = userdata
        };
        r = sd_event_add_defer(q->context->event, &x->soon, on_soon, x);
        if (r < 0) {
                token_free(x);
                return r;
        }
        *ret_run = x;
        return 0;
}

const Exchange exchange_token = {
        .name = "token",
        .giver = "the identity itself",
        .use = LINT_PASSWORD,
        .advise = elsewhere_advise,
        .start = token_start,
        .free = token_free,
};
