/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a token service may say: a credential that can be sent and ends, or a failure that can be shown. */

#include "fuzz.h"

#include "worker/exchange/oauth2-answer.h"

#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)

static const Oauth2Question question = { .server = "sts.example.com", .user = "user", .now = NOW };

static void check_failure(const Failure *f) {
        fuzz_assert(f->step == STEP_EXCHANGE && f->message[0]);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
}

static void check_answer(const HttpAnswer *a) {
        _cleanup_credential_ Credential *c = NULL;
        _cleanup_strv_ char **notices = NULL;
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = oauth2_answer_read(&question, a, &c, &f, &notices);
        fuzz_assert(r == (f ? 1 : 0) && !f == !!c);
        if (f) {
                check_failure(f);
                return;
        }
        fuzz_assert(secret_size(c->secret) > 0 && text_is_token(secret_peek(c->secret).iov_base));
        fuzz_assert(c->issued >= 0 && c->expires > c->issued);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *body = NULL;
        _cleanup_failure_ Failure *f = NULL;
        HttpAnswer a = { .status = 200 };

        fuzz_assert(secret_new(data, size, &body) == 0);
        a.body = body;
        check_answer(&a);
        a.status = 400;
        fuzz_assert(oauth2_refusal_read(&question, &a, &f) == 0);
        check_failure(f);
        return 0;
}
