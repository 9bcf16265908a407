/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read from a JWT, and what counts as one. */

#include "draw.h"
#include "jwt-fixture.h"

#include "codec/jwt.h"

static JwtClaims *parse(const char *header, const char *payload) {
        _cleanup_free_ char *token = make_token(header, payload);
        JwtClaims *c = NULL;
        const char *what = NULL;

        if (jwt_parse(token, strlen(token), &c, &what) != 0)
                fail_msg("%s.%s: %s", header, payload, what);
        return c;
}

static void assert_refused(const char *token, size_t size, int error, const char *what) {
        const char *said = NULL;
        JwtClaims *c = NULL;
        int r = jwt_parse(token, size, &c, &said);

        if (r != error || !streq_ptr(said, what))
                fail_msg("%.80s: %d, %s", token, r, strempty(said));
        assert_null(c);
}

static void every_claim_is_read(void **state) {
        _cleanup_jwt_ JwtClaims *c = parse(
                HEADER,
                "{\"iss\":\"https://issuer\",\"sub\":\"host\\u002fa\",\"jti\":\"j\",\"aud\":[\"a\",\"b\"],"
                "\"iat\":1000,"
                "\"exp\":2000,\"nbf\":1001,\"other\":{\"deep\":[1]}}");

        assert_string_equal(c->alg, "RS256");
        assert_string_equal(c->kid, "k1");
        assert_string_equal(c->typ, "JWT");
        assert_string_equal(c->iss, "https://issuer");
        assert_string_equal(c->sub, "host/a");
        assert_string_equal(c->jti, "j");
        assert_true(c->sub_present && c->has_iat && c->has_exp && c->has_nbf);
        assert_false(c->iat_malformed || c->exp_malformed);
        assert_int_equal(c->iat, 1000);
        assert_int_equal(c->exp, 2000);
        assert_int_equal(c->nbf, 1001);
        assert_int_equal(strv_length(c->aud), 2);
        assert_true(jwt_has_audience(c, "a") && jwt_has_audience(c, "b"));
        assert_false(jwt_has_audience(c, "A"));
}

static void what_is_absent_is_null(void **state) {
        _cleanup_jwt_ JwtClaims *c = parse("{}", "{}");

        assert_null(c->alg);
        assert_null(c->kid);
        assert_null(c->typ);
        assert_null(c->iss);
        assert_null(c->sub);
        assert_null(c->jti);
        assert_null(c->aud);
        assert_false(c->sub_present || c->has_iat || c->has_exp || c->has_nbf || c->iat_malformed ||
                     c->exp_malformed);
        assert_false(jwt_has_audience(c, "a"));
}

static void claims_of_another_type_count_as_absent(void **state) {
        _cleanup_jwt_ JwtClaims *c = parse(
                "{\"alg\":1,\"kid\":[],\"typ\":null}",
                "{\"iss\":{},\"sub\":7,\"jti\":false,\"aud\":5,\"iat\":\"1000\",\"exp\":true,\"nbf\":[]}");

        assert_true(!c->alg && !c->kid && !c->typ && !c->iss && !c->sub && !c->jti && !c->aud);
        assert_true(c->sub_present && c->iat_malformed && c->exp_malformed);
        assert_false(c->has_iat || c->has_exp || c->has_nbf);
}

static void null_claims_count_as_absent_but_for_the_subject(void **state) {
        _cleanup_jwt_ JwtClaims *c =
                parse("{}", "{\"iss\":null,\"sub\":null,\"aud\":null,\"iat\":null,\"exp\":null}");

        assert_true(!c->iss && !c->sub && !c->aud && c->sub_present);
        assert_false(c->has_iat || c->has_exp || c->iat_malformed || c->exp_malformed);
}

static void an_audience_may_be_one_or_many(void **state) {
        static const struct {
                const char *payload;
                size_t n;
        } rows[] = {
                { "{\"aud\":\"a\"}", 1 },          { "{\"aud\":[\"a\"]}", 1 }, { "{\"aud\":[]}", 0 },
                { "{\"aud\":[1,\"a\",null]}", 1 }, { "{\"aud\":\"\"}", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_jwt_ JwtClaims *c = parse("{}", rows[i].payload);

                assert_int_equal(strv_length(c->aud), rows[i].n);
        }
}

static void dates_are_cut_and_clamped(void **state) {
        static const struct {
                const char *number;
                int64_t seconds;
        } rows[] = {
                { "0", 0 },
                { "-1", -1 },
                { "1763931600.999", 1763931600 },
                { "-0.5", 0 },
                { "1e3", 1000 },
                { "9007199254740992", INT64_C(1) << 53 },
                { "9007199254740993", INT64_C(1) << 53 },
                { "9223372036854775808", INT64_C(1) << 53 },
                { "99999999999999999999999", INT64_C(1) << 53 },
                { "1e300", INT64_C(1) << 53 },
                { "1e999", INT64_C(1) << 53 },
                { "-1e999", -(INT64_C(1) << 53) },
                { "-99999999999999999999999", -(INT64_C(1) << 53) },
                { "1e-999", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *payload = NULL;
                _cleanup_jwt_ JwtClaims *c = NULL;

                assert_ok(text_format(&payload, "{\"iat\":%s,\"exp\":%s,\"nbf\":%s}", rows[i].number,
                                      rows[i].number, rows[i].number));
                c = parse("{}", payload);
                assert_true(c->has_iat && c->has_exp && c->has_nbf);
                if (c->iat != rows[i].seconds || c->exp != rows[i].seconds || c->nbf != rows[i].seconds)
                        fail_msg("%s gives %lld", rows[i].number, (long long) c->iat);
        }
}

static void what_is_no_jwt_is_refused_with_its_cause(void **state) {
        static const struct {
                const char *token, *what;
        } rows[] = {
                { "", "not three segments" },
                { "a", "not three segments" },
                { "e30.e30", "not three segments" },
                { "e30.e30.e30.e30", "not three segments" },
                { "e30.e30.e30.e30.e30", "not three segments" },
                { "e30=.e30.", "header is not base64url" },
                { "e30\n.e30.", "header is not base64url" },
                { "e+30.e30.", "header is not base64url" },
                { ".e30.", "header is not a JSON object" },
                { "W10.e30.", "header is not a JSON object" },
                { "bnVsbA.e30.", "header is not a JSON object" },
                { "e30..", "payload is not a JSON object" },
                { "e30.e3.", "payload is not base64url" },
                { "e30.e.", "payload is not base64url" },
                { "e30.e30 .", "payload is not base64url" },
                { "e30.ew.", "payload is not a JSON object" },
                { "e30.MQ.", "payload is not a JSON object" },
                { "..", "header is not a JSON object" },
                { "e30.e30.a", "signature is not base64url" },
                { "e30.e30.c2ln\n", "signature is not base64url" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_refused(rows[i].token, strlen(rows[i].token), -EBADMSG, rows[i].what);
        assert_refused("e30.e30.\0", 9, -EBADMSG, "signature is not base64url");
        assert_refused(NULL, 0, -EBADMSG, "not three segments");
}

static void segments_must_be_strict_json(void **state) {
        static const char *const rows[] = {
                "{\"iss\":\"a\",\"iss\":\"b\"}",
                "{\"sub\":\"a\\u0000\"}",
                "{\"iss\":\"\xff\"}",
                "{} ,",
                "{\"exp\":01}",
                "{\"a\":1,}",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *token = make_token("{}", rows[i]);

                assert_refused(token, strlen(token), -EBADMSG, "payload is not a JSON object");
        }
}

static void control_characters_are_refused(void **state) {
        static const char *const rows[] = {
                "{\"iss\":\"a\\nb\"}",       "{\"sub\":\"\\u001b[2J\"}", "{\"aud\":\"\\u007f\"}",
                "{\"aud\":[\"a\",\"\\t\"]}", "{\"jti\":\"\\u0085\"}",    "{\"jti\":\"\\u009b\"}",
        };
        _cleanup_free_ char *header = make_token("{\"alg\":\"RS256\\r\"}", "{}"),
                            *fine = make_token("{}", "{\"iss\":\"\\u00a0\\u2028\"}");
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *what;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *token = make_token("{}", rows[i]);

                assert_refused(token, strlen(token), -EBADMSG, "a claim holds control characters");
        }
        assert_refused(header, strlen(header), -EBADMSG, "a claim holds control characters");
        assert_int_equal(jwt_parse(fine, strlen(fine), &c, &what), 0);
}

static void sizes_are_bounded(void **state) {
        _cleanup_free_ char *huge = malloc(64 * 1024 + 1), *many = NULL, *token = NULL;
        char *p;

        memset(huge, 'a', 64 * 1024 + 1);
        assert_refused(huge, 64 * 1024 + 1, -EFBIG, "longer than 64 KiB");
        assert_refused(huge, 64 * 1024, -EBADMSG, "not three segments");
        many = p = malloc(1024);
        p = stpcpy(p, "{\"aud\":[\"0\"");
        for (unsigned i = 1; i <= 64; i++)
                p += sprintf(p, ",\"%u\"", i);
        strcpy(p, "]}");
        token = make_token("{}", many);
        assert_refused(token, strlen(token), -EBADMSG, "more than 64 audiences");
}

static void a_token_that_is_cut_short_never_has_more_claims(void **state) {
        _cleanup_free_ char *token =
                make_token(HEADER, "{\"iss\":\"https://issuer\",\"sub\":\"a\",\"iat\":1,\"exp\":2}");
        size_t size = strlen(token), signature = size - strlen(SIGNATURE);

        for (size_t n = 0; n < size; n++) {
                char *part = malloc(n ?: 1);
                JwtClaims *c = NULL;
                const char *what;
                int r;

                memcpy(part, token, n);
                r = jwt_parse(part, n, &c, &what);
                if (n < signature)
                        assert_int_equal(r, -EBADMSG);
                else if (r == 0)
                        assert_string_equal(c->sub, "a");
                jwt_claims_free(c);
                free(part);
        }
}

static void one_wrong_byte_anywhere_is_survived(void **state) {
        _cleanup_free_ char *token = make_token(
                HEADER, "{\"iss\":\"https://issuer\",\"sub\":\"a\",\"aud\":[\"b\"],\"iat\":1,\"exp\":2}");
        Draw d = { 3 };

        for (unsigned i = 0; i < 20000; i++) {
                size_t at = draw_below(&d, strlen(token));
                JwtClaims *c = NULL;
                const char *what = NULL;
                char was = token[at];
                int r;

                token[at] = (char) draw(&d);
                r = jwt_parse(token, strlen(token), &c, &what);
                assert_true(r == 0 || (r == -EBADMSG && what));
                jwt_claims_free(c);
                token[at] = was;
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_claim_is_read),
                cmocka_unit_test(what_is_absent_is_null),
                cmocka_unit_test(claims_of_another_type_count_as_absent),
                cmocka_unit_test(null_claims_count_as_absent_but_for_the_subject),
                cmocka_unit_test(an_audience_may_be_one_or_many),
                cmocka_unit_test(dates_are_cut_and_clamped),
                cmocka_unit_test(what_is_no_jwt_is_refused_with_its_cause),
                cmocka_unit_test(segments_must_be_strict_json),
                cmocka_unit_test(control_characters_are_refused),
                cmocka_unit_test(sizes_are_bounded),
                cmocka_unit_test(a_token_that_is_cut_short_never_has_more_claims),
                cmocka_unit_test(one_wrong_byte_anywhere_is_survived),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
