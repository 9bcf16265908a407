/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers to an exchange and to the verification: three lines (status, Date, Retry-After), then the body.
 * Either there is a credential that can be used, or a failure that can be shown, and it repeats nothing
 * of the secret. */

#include "fuzz.h"

#include "worker/exchange/quay-answer.h"
#include "worker/verification-answer.h"

#define SECRET "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIn0.c2lnbmF0dXJlc2lnbmF0dXJl"
#define NOW (UINT64_C(1795478400) * USEC_PER_SEC)

static char *take_line(const char **data, size_t *size) {
        const char *end = memchr(*data, '\n', *size);
        size_t n = end ? (size_t) (end - *data) : *size;
        char *line = strndup(*data, n);

        fuzz_assert(line);
        n += end ? 1 : 0;
        *data += n;
        *size -= n;
        return line;
}

static void check_failure(const Failure *f, FailureStep step) {
        fuzz_assert(f->step == step && f->reason > REASON_NONE && f->message[0]);
        fuzz_assert(f->retry_after <= USEC_PER_DAY);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        if (!f->words)
                return;
        fuzz_assert_clean(f->words);
        for (size_t i = 0; i + 12 <= strlen(SECRET); i++)
                fuzz_assert(!memmem(f->words, strlen(f->words), &SECRET[i], 12));
}

static void check_exchange(const HttpAnswer *a, const Secret *secret) {
        JwtClaims claims = {
                .iss = (char *) "https://i", .has_exp = true, .exp = 1795478500, .has_iat = true
        };
        const QuayQuestion q = { "quay.example.com", "acme+edge", secret, &claims, NOW };
        _cleanup_credential_ Credential *c = NULL;
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_strv_ char **notices = NULL;
        int r;

        r = quay_answer_read(&q, a, &c, &f, &notices);
        fuzz_assert(r == (f ? 1 : 0) && !!c == !f);
        STRV_FOREACH(n, notices)
                fuzz_assert_clean(*n);
        if (f) {
                check_failure(f, STEP_EXCHANGE);
                return;
        }
        fuzz_assert(a->status == 200 && c->issued >= 0 && c->expires > c->issued);
        fuzz_assert(c->expires <= INT64_C(1) << 40 && credential_expires_boot(c) > 0);
        fuzz_assert(secret_size(c->secret) > 0 && text_is_token(secret_peek(c->secret).iov_base));
}

static void check_verification(const HttpAnswer *a, const Secret *secret) {
        const Credential c = { .user = (char *) "acme+edge", .secret = (Secret *) secret };
        const VerificationScope scope = { (char *) "repository:a/b:pull", (char *) "a/b" };
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_strv_ char **notices = NULL;
        int r;

        r = verification_read_answer("quay.example.com", &c, &scope, a, &f, &notices);
        fuzz_assert(r == (f ? 1 : 0) && strv_length(notices) <= 1);
        if (f)
                check_failure(f, STEP_VERIFICATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *p = (const char *) data;
        _cleanup_free_ char *status = take_line(&p, &size), *date = take_line(&p, &size),
                            *retry_after = take_line(&p, &size);
        _cleanup_secret_ Secret *secret = NULL, *body = NULL;
        HttpAnswer a = { .status = atoi(status) % 1000, .date = date, .retry_after = retry_after };

        if (a.status < 100)
                a.status = 200;
        fuzz_assert(secret_new_string(SECRET, &secret) == 0 && secret_new(p, size, &body) == 0);
        a.body = body;
        check_exchange(&a, secret);
        check_verification(&a, secret);
        return 0;
}
