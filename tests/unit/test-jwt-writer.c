/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written into a token is what is read from it, and what lint lets pass. */

#include "unit.h"

#include "base/text.h"
#include "codec/jwt.h"
#include "model/lint.h"
#include "worker/jwt-writer.h"

#define NOW 1795478400 /* 2026-11-24 00:00:00 UTC */

static const JwtDraft draft = {
        .algorithm = "RS256",
        .key_id = "k\"1",
        .issuer = "https://issuer.example.com/edge/",
        .subject = "edge-1",
        .audience = "quay",
        .id = "0123",
        .issued = NOW,
        .expires = NOW + 300,
};

static Secret *write_token(const JwtDraft *d) {
        _cleanup_free_ char *input = NULL;
        Secret *token;

        assert_int_equal(jwt_signing_input(d, &input), 0);
        assert_int_equal(jwt_assemble(input, "\xff\xfe", 2, &token), 0);
        assert_memory_equal(secret_peek(token).iov_base, input, strlen(input));
        return token;
}

static void what_is_written_is_read(void **state) {
        _cleanup_secret_ Secret *token = write_token(&draft);
        struct iovec bytes = secret_peek(token);
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *what;

        assert_int_equal(jwt_parse(bytes.iov_base, bytes.iov_len, &c, &what), 0);
        assert_string_equal(c->alg, "RS256");
        assert_string_equal(c->kid, "k\"1");
        assert_string_equal(c->iss, draft.issuer);
        assert_string_equal(c->sub, "edge-1");
        assert_string_equal(c->jti, "0123");
        assert_true(jwt_has_audience(c, "quay"));
        assert_int_equal(c->iat, NOW);
        assert_int_equal(c->nbf, NOW);
        assert_int_equal(c->exp, NOW + 300);
        assert_non_null(endswith(bytes.iov_base, ".__4"));
}

static void lint_finds_nothing_in_it(void **state) {
        _cleanup_secret_ Secret *token = write_token(&draft);
        struct iovec bytes = secret_peek(token);
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_jwt_ JwtClaims *c = NULL;
        const LintQuestion q = { LINT_QUAY, "quay", NOW * USEC_PER_SEC, /* clock_trusted= */ true };
        LintFinding finding;

        assert_int_equal(lint_token(&q, bytes.iov_base, bytes.iov_len, &c, &finding, &f), 0);
}

static void what_is_not_given_is_not_there(void **state) {
        JwtDraft d = draft;
        _cleanup_secret_ Secret *token = NULL;
        _cleanup_jwt_ JwtClaims *c = NULL;
        struct iovec bytes;
        const char *what;

        d.key_id = d.audience = d.id = NULL;
        token = write_token(&d);
        bytes = secret_peek(token);
        assert_int_equal(jwt_parse(bytes.iov_base, bytes.iov_len, &c, &what), 0);
        assert_true(!c->kid && !c->aud && !c->jti);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read),
                cmocka_unit_test(lint_finds_nothing_in_it),
                cmocka_unit_test(what_is_not_given_is_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
