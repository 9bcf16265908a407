/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tokens as they come, and payloads of tokens that are well formed: what was read can be shown, dates are
 * within their bounds, and lint neither lets a token through that lacks something nor repeats one in a
 * message. */

#include "fuzz.h"

#include "codec/base64.h"
#include "codec/jwt.h"
#include "model/lint.h"

#define SECONDS_MAX (INT64_C(1) << 53)
#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)

static void check_claims(const JwtClaims *c) {
        const char *const texts[] = { c->alg, c->kid, c->typ, c->iss, c->sub, c->jti };
        const int64_t dates[] = { c->iat, c->exp, c->nbf };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i])
                        fuzz_assert_clean(texts[i]);
        STRV_FOREACH(a, c->aud) {
                fuzz_assert_clean(*a);
                fuzz_assert(jwt_has_audience(c, *a));
        }
        for (size_t i = 0; i < ELEMENTSOF(dates); i++)
                fuzz_assert(dates[i] >= -SECONDS_MAX && dates[i] <= SECONDS_MAX);
        fuzz_assert(!c->sub || c->sub_present);
        fuzz_assert(!(c->has_iat && c->iat_malformed) && !(c->has_exp && c->exp_malformed));
}

static void check_lint(const char *token, size_t size, LintUse use) {
        const LintQuestion q = { use, "quay", NOW, /* clock_trusted= */ true };
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_jwt_ JwtClaims *c = NULL;
        LintFinding finding = _LINT_FINDING_INVALID;
        int r;

        r = lint_token(&q, token, size, &c, &finding, &f);
        fuzz_assert(r == (f ? 1 : 0));
        fuzz_assert((finding >= 0) == (r == 1));
        if (c)
                check_claims(c);
        if (!f && use == LINT_PASSWORD)
                fuzz_assert(c->has_exp && c->exp > 1800000000 - 30 && jwt_has_audience(c, "quay"));
        if (!f && use == LINT_QUAY) {
                fuzz_assert(size <= LINT_TOKEN_MAX && startswith(c->iss, "https://") && c->kid && c->sub &&
                            c->has_iat);
                fuzz_assert((streq(c->alg, "RS256") || streq(c->alg, "RS384")) &&
                            jwt_has_audience(c, "quay"));
                fuzz_assert(c->has_exp && c->exp > 1800000000 - 30);
        }
        if (!f)
                return;
        fuzz_assert(f->step == STEP_IDENTITY && failure_class(f) == FAILURE_IDENTITY_UNUSABLE);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        fuzz_assert(size < 100 || !memmem(f->message, strlen(f->message), token, size));
}

static void check_token(const char *token, size_t size) {
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *what = NULL;
        int r;

        r = jwt_parse(token, size, &c, &what);
        fuzz_assert((r == 0 && c) || (r == -EBADMSG && what && !c) || (r == -EFBIG && size > 64 * 1024));
        if (c)
                check_claims(c);
        for (LintUse use = 0; use < _LINT_USE_MAX; use++)
                check_lint(token, size, use);
}

/* A header that lint takes, the input as payload, a signature. */
static void check_payload(const uint8_t *data, size_t size) {
        static const char header[] = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.";
        _cleanup_secret_ Secret *head = NULL, *payload = NULL, *tail = NULL, *token = NULL;
        struct iovec bytes;

        fuzz_assert(secret_new_string(header, &head) == 0);
        fuzz_assert(base64url_encode(data, size, &payload) == 0);
        fuzz_assert(secret_new_string(".c2ln", &tail) == 0);
        fuzz_assert(secret_join((const Secret *const[]){ head, payload, tail }, 3, &token) == 0);
        bytes = secret_peek(token);
        check_token(bytes.iov_base, bytes.iov_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        check_token((const char *) data, size);
        check_payload(data, size);
        return 0;
}
