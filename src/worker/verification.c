/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two requests: one without authorization that makes the registry name its token endpoint, one to that
 * endpoint with the credential; or to the same place as before, where a registry has no such endpoint.
 *
 * Owns the transfer under way. Refuses to send the credential anywhere but over https to the registry's
 * own host, whatever the registry says. What the answers mean stands in worker/verification-answer. */

#include "base/text.h"
#include "worker/http-failure.h"
#include "worker/http-trace.h"
#include "worker/verification-answer.h"
#include "worker/verification.h"

struct Verification {
        VerificationQuestion question;
        VerificationScope scope;
        HttpTransfer *transfer;
        bool first; /* nobody has asked this registry yet, in this request */
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

static void on_entry(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Verification *v = userdata;
        const VerificationQuestion *q = &v->question;
        Failure *f = NULL;
        int r;

        if (a->problem == HTTP_OK)
                r = verification_read_entry(q->request->registry, q->credential, a, &f);
        else {
                r = http_failure_of_problem(a, STEP_VERIFICATION, q->request->registry, &f);
                r = r < 0 ? r : 1;
        }
        v->handler(r, f, v->userdata);
}

/* GET /v2/, with the credential or without. */
static int ask_for_entry(Verification *v, const Credential *c, HttpHandler handler) {
        const VerificationQuestion *q = &v->question;
        _cleanup_free_ char *url = NULL;
        int r;

        r = text_format(&url, "https://%s/v2/", q->request->registry);
        if (r < 0)
                return r;
        v->transfer = http_transfer_free(v->transfer);
        return http_start(q->http,
                          &(HttpRequest){
                                  .method = "GET",
                                  .url = url,
                                  .user = c ? c->user : NULL,
                                  .password = c ? c->secret : NULL,
                                  .timeout = q->timeout,
                                  .connects = v->first && q->request->kind == REQUEST_TEST,
                          },
                          handler, v, &v->transfer);
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

/* The exchange asked somebody else: the way to the registry, and its clock, are seen here. */
static int look_at_first(const VerificationQuestion *q, const HttpAnswer *a) {
        if (!q->answer->skew_known)
                q->answer->skew_known = http_skew(a, now_boot(), now_real(), &q->answer->skew_usec) > 0;
        return q->request->kind == REQUEST_TEST ? http_trace(&q->answer->trace, a, q->request->registry) : 0;
}

static void on_challenge(HttpTransfer *t, const HttpAnswer *a, void *userdata) {
        Verification *v = userdata;
        const VerificationQuestion *q = &v->question;
        _cleanup_(challenge_done) Challenge c = {};
        Failure *f = NULL;
        int r;

        if (v->first && look_at_first(q, a) < 0) {
                v->handler(-ENOMEM, NULL, v->userdata);
                return;
        }
        v->first = false;
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
        if (r == CHALLENGE_FOUND)
                r = ask_for_token(v, &c, &f);
        else if (r == CHALLENGE_BASIC)
                r = ask_for_entry(v, q->credential, on_entry);
        if (r == 0)
                return;
        v->handler(r, f, v->userdata);
}

int verification_start(const VerificationQuestion *q, VerificationHandler handler, void *userdata,
                       Verification **ret) {
        _cleanup_(verification_freep) Verification *v = NULL;
        bool quay = streq_ptr(q->request->exchange, "quay");
        int r = 0;

        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->question = *q;
        v->handler = handler;
        v->userdata = userdata;
        v->first = !quay;
        if (quay)
                r = verification_scope_choose(q->request->scopes, q->request->robot, &v->scope);
        if (r >= 0)
                r = ask_for_entry(v, NULL, on_challenge);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
