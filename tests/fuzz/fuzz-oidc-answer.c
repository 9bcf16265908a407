/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an OIDC issuer may say: a document that is believed names the issuer that was asked, a token that is
 * taken can be sent, and everything else is a failure that can be shown. */

#include "fuzz.h"

#include "worker/oidc-answer.h"

#define ISSUER "https://issuer.example.com"

static void check_failure(const Failure *f) {
        fuzz_assert(f->step == STEP_IDENTITY && f->message[0]);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
}

static void check_discovery(const HttpAnswer *a, const uint8_t *data, size_t size) {
        _cleanup_(oidc_issuer_done) OidcIssuer i = {};
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = oidc_read_discovery(ISSUER, "issuer.example.com", a, &i, &f);
        fuzz_assert(r == (f ? 1 : 0) && !f == !!i.token_endpoint);
        if (f) {
                check_failure(f);
                return;
        }
        fuzz_assert(text_is_token(i.token_endpoint) && i.token_endpoint[0]);
        fuzz_assert(!i.mutual_tls_endpoint || text_is_token(i.mutual_tls_endpoint));
        if (i.authentication)
                fuzz_assert_clean(i.authentication);
        /* It may be escaped, but something has to stand for it. */
        fuzz_assert(memmem(data, size, "issuer", 6) || memchr(data, '\\', size));
}

static void check_token(const HttpAnswer *a) {
        _cleanup_secret_ Secret *token = NULL;
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = oidc_read_token("issuer.example.com", "access_token", a, &token, &f);
        fuzz_assert(r == (f ? 1 : 0) && !f == !!token);
        if (f)
                check_failure(f);
        else
                fuzz_assert(secret_size(token) > 0 && text_is_token(secret_peek(token).iov_base));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *body = NULL;
        HttpAnswer a = { .status = 200 };

        fuzz_assert(secret_new(data, size, &body) == 0);
        a.body = body;
        check_discovery(&a, data, size);
        check_token(&a);
        return 0;
}
