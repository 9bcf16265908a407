/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a token is good that nobody exchanged. */

#include "worker-fixture.h"
#include "worker/exchange/token-life.h"

typedef struct Row {
        const char *payload; /* NULL: no JWT */
        int64_t expires_in, now, issued, expires;
        const char *notice; /* part of it; NULL: none */
} Row;

static void assert_life(const Row *row) {
        _cleanup_secret_ Secret *token = token_of(row->payload ?: "{}");
        _cleanup_credential_ Credential *c = NULL;
        _cleanup_jwt_ JwtClaims *claims = NULL;
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_strv_ char **notices = NULL;
        struct iovec bytes = secret_peek(token);
        const char *why;

        if (row->payload)
                assert_ok(jwt_parse(bytes.iov_base, bytes.iov_len, &claims, &why));
        const TokenLife l = {
                .user = "serviceaccount",
                .token = token,
                .claims = claims,
                .giver = "the identity",
                .expires_in = row->expires_in,
                .now = row->now,
                .obtained_boot = 7,
        };

        assert_int_equal(token_life_credential(&l, &c, &f, &notices), 0);
        assert_int_equal(c->issued, row->issued);
        assert_int_equal(c->expires, row->expires);
        assert_int_equal(c->obtained_boot, 7);
        assert_string_equal(c->user, "serviceaccount");
        assert_true(secret_equal(c->secret, token));
        assert_int_equal(strv_length(notices), row->notice ? 1 : 0);
        if (row->notice)
                assert_non_null(strstr(notices[0], row->notice));
}

static void the_sooner_end_counts_and_only_the_rest_of_a_life(void **state) {
        static const Row rows[] = {
                { "{\"iat\":1000,\"exp\":4600}", 0, 1010, 1000, 4600, NULL },
                { "{\"iat\":1000,\"exp\":4600}", 0, 2000, 2000, 4600, NULL },
                { "{\"iat\":1000,\"exp\":4600}", 60, 1010, 1000, 1060, NULL },
                { "{\"iat\":1000,\"exp\":1060}", 3600, 1010, 1000, 1060, NULL },
                { "{\"exp\":4600}", 0, 2000, 2000, 4600, NULL },
                { NULL, 300, 2000, 2000, 2300, NULL },
                { NULL, 0, 2000, 2000, 2600, "ten minutes" },
                { "{\"iat\":1000}", 0, 1000, 1000, 1600, "ten minutes" },
                /* no clock */
                { "{\"iat\":1000,\"exp\":4600}", 0, 0, 1000, 4600, NULL },
                { "{\"exp\":4600}", 0, 0, 4000, 4600, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_life(rows + i);
}

static void what_is_over_is_of_no_use(void **state) {
        static const struct {
                const char *payload, *says;
                int64_t expires_in;
        } rows[] = {
                { "{\"iat\":1000,\"exp\":2000}", "expired", 0 },
                { "{\"exp\":1e15}", "no sense", 0 },
                { "{\"exp\":-5}", "no sense", 0 },
                { "{\"exp\":9000}", "no sense", -1 },
                { "{\"exp\":9000}", "no sense", INT64_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *token = token_of(rows[i].payload);
                _cleanup_jwt_ JwtClaims *claims = NULL;
                _cleanup_failure_ Failure *f = NULL;
                struct iovec bytes = secret_peek(token);
                Credential *c = NULL;
                char **notices = NULL;
                const char *why;

                assert_ok(jwt_parse(bytes.iov_base, bytes.iov_len, &claims, &why));
                const TokenLife l = {
                        .user = "u",
                        .token = token,
                        .claims = claims,
                        .giver = "the identity",
                        .expires_in = rows[i].expires_in,
                        .now = 3000,
                };

                assert_int_equal(token_life_credential(&l, &c, &f, &notices), 1);
                assert_null(c);
                assert_int_equal(f->reason, REASON_TOKEN_NOT_USABLE);
                assert_non_null(strstr(f->message, rows[i].says));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_sooner_end_counts_and_only_the_rest_of_a_life),
                cmocka_unit_test(what_is_over_is_of_no_use),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
