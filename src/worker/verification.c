/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two requests: one without authorization that makes the registry name its token endpoint, one to that
 * endpoint with the credential.
 *
 * Owns the transfer under way. Refuses to send the credential anywhere but over https to the registry's
 * own host, whatever the registry says. What the answers mean stands in worker/verification-answer. */

#include "base/text.h"
#include "worker/http-failure.h"
#include "worker/verification-answer.h"
#include "worker/verification.h"

struct Verification {
        VerificationQuestion question;
        VerificationScope scope;
        HttpTransfer *transfer;
        VerificationHandler handler;
        void *userdata;
};

Verification *verification_free(Verification *v) {
        if (!v)
                return NULL;
        http_transfer_free(v->transfer);
        verification_scope_done(&v->scope);
        free(v);
        return NULL;
}

static void on_token(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Verification *v = userdata;
        const VerificationQuestion *q = &v->question;
        Failure *f = NULL;
        int r;

        if (a->problem == HTTP_OK)
                r = verification_read_answer(q->request->registry, q->credential, &v->scope, a, &f,
                                             &q->answer->notices);
        else {
                r = http_failure_of_problem(a, STEP_VERIFICATION, q->request->registry, &f);
                r = r < 0 ? r : 1;
        }
        v->handler(r, f, v->userdata);
}

/* Returns 0 if the handler is going to be called from on_token(), else what it is to be told. */
static int ask_for_token(Verification *v, const Challenge *c, Failure **reterr) {
        const VerificationQuestion *q = &v->question;
        _cleanup_free_ char *url = NULL;
        int r;

        r = challenge_url(c, v->scope.text, &url);
        if (r < 0)
                return r;
        v->transfer = http_transfer_free(v->transfer);
        r = http_start(q->http,
                       &(HttpRequest){
                               .method = "GET",
                               .url = url,
                               .user = q->credential->user,
                               .password = q->credential->secret,
                               .timeout = q->timeout,
                       },
                       on_token, v, &v->transfer);
        if (r != -EINVAL)
                return r;
        r = failure_new(reterr, STEP_VERIFICATION, REASON_ANSWER_MALFORMED,
                        "%s names a token endpoint that is no address", q->request->registry);
        return r < 0 ? r : 1;
}

static void on_challenge(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Verification *v = userdata;
        const VerificationQuestion *q = &v->question;
        _cleanup_(challenge_done) Challenge c = {};
        Failure *f = NULL;
        int r;

        if (a->problem != HTTP_OK) {
                r = http_failure_of_problem(a, STEP_VERIFICATION, q->request->registry, &f);
                v->handler(r < 0 ? r : 1, f, v->userdata);
                return;
        }
        r = verification_read_challenge(q->request->registry, a, &c, &f, &q->answer->notices);
        if (r == CHALLENGE_NONE) {
                v->handler(0, NULL, v->userdata);
                return;
        }
        if (r == CHALLENGE_FOUND) {
                r = ask_for_token(v, &c, &f);
                if (r == 0)
                        return;
        }
        v->handler(r, f, v->userdata);
}

int verification_start(const VerificationQuestion *q, VerificationHandler handler, void *userdata,
                       Verification **ret) {
        _cleanup_(verification_freep) Verification *v = NULL;
        _cleanup_free_ char *url = NULL;
        int r;

        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->question = *q;
        v->handler = handler;
        v->userdata = userdata;
        r = verification_scope_choose(q->request->scopes, q->request->robot, &v->scope);
        if (r >= 0)
                r = text_format(&url, "https://%s/v2/", q->request->registry);
        if (r >= 0)
                r = http_start(q->http, &(HttpRequest){ .method = "GET", .url = url, .timeout = q->timeout },
                               on_challenge, v, &v->transfer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
