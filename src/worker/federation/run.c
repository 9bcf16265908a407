/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The requests in their order: look; and to set it, compare with what somebody decided on, write, look
 * again.
 *
 * The registry takes the whole list or nothing and has no condition for it, so two who write at once may
 * lose one entry. The look before keeps that to an instant, the look behind tells of it. Nothing is tried
 * twice. */

#include <string.h>

#include "worker/federation/answer.h"
#include "worker/federation/run.h"

typedef enum Stage {
        STAGE_LOOK,
        STAGE_WRITE,
        STAGE_LOOK_AGAIN,
} Stage;

struct FederationRun {
        Http *http;
        const FederationRequest *request;
        Stage stage;
        char *url, *body;
        HttpTransfer *transfer;
        FederationHandler handler;
        void *userdata;
};

FederationRun *federation_run_free(FederationRun *x) {
        if (!x)
                return NULL;
        http_transfer_free(x->transfer);
        free(x->url);
        free(x->body);
        free(x);
        return NULL;
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata);

static int start(FederationRun *x, Stage stage) {
        static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                               NULL };
        bool write = stage == STAGE_WRITE;

        x->stage = stage;
        x->transfer = http_transfer_free(x->transfer);
        return http_start(x->http,
                          &(HttpRequest){
                                  .method = write ? "POST" : "GET",
                                  .url = x->url,
                                  .bearer = x->request->token,
                                  .headers = (char *const *) (write ? headers : headers + 1),
                                  .body = write ? x->body : NULL,
                                  .body_size = write ? strlen(x->body) : 0,
                                  .timeout = x->request->timeout,
                                  .body_max = FEDERATION_ANSWER_MAX,
                          },
                          on_answer, x, &x->transfer);
}

/* What comes after an answer that was well. Returns 1 if another one will come, 0 at the end, or a negative
 * errno; or -ECANCELED with *reterr. */
static int go_on(FederationRun *x, const Federation *f, Failure **reterr) {
        const FederationRequest *q = x->request;
        int r;

        switch (x->stage) {
        case STAGE_LOOK:
                if (!q->set)
                        return 0;
                if (!federation_equal(f, &q->seen)) {
                        r = federation_changed_meanwhile(q, reterr);
                        return r < 0 ? r : -ECANCELED;
                }
                r = start(x, STAGE_WRITE);
                return r < 0 ? r : 1;
        case STAGE_WRITE:
                r = start(x, STAGE_LOOK_AGAIN);
                return r < 0 ? r : 1;
        case STAGE_LOOK_AGAIN:
                if (federation_names_same(f, &q->wanted))
                        return 0;
                r = federation_not_kept(q, reterr);
                return r < 0 ? r : -ECANCELED;
        }
        return -EINVAL;
}

static void on_answer(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        FederationRun *x = userdata;
        Federation f = {};
        Failure *failure = NULL;
        int r;

        r = federation_answer_judge(x->request, a, &f, &failure);
        if (r == 0) {
                r = go_on(x, &f, &failure);
                if (r != 0)
                        federation_done(&f);
                if (r > 0)
                        return;
                if (r == -ECANCELED)
                        r = 1;
        } else if (r > 0 && x->stage != STAGE_LOOK) {
                r = federation_leave_open(failure, x->stage == STAGE_LOOK_AGAIN);
                r = r < 0 ? r : 1;
        }
        x->handler(r, &f, failure, x->userdata);
}

int federation_run_new(Http *http, const FederationRequest *q, FederationHandler handler, void *userdata,
                       FederationRun **ret) {
        _cleanup_(federation_run_freep) FederationRun *x = NULL;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->http = http;
        x->request = q;
        x->handler = handler;
        x->userdata = userdata;
        r = federation_url(q, &x->url);
        if (r >= 0 && q->set)
                r = federation_print(&q->wanted, &x->body);
        if (r >= 0)
                r = start(x, STAGE_LOOK);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(x);
        return 0;
}
