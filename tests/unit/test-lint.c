/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each mistake that a token can have: its reason, that the message names the claim, that the hint says
 * what to do; and that nothing is refused which Quay takes. */

#include "jwt-fixture.h"

#include "model/lint.h"

#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)
#define CLAIMS "\"iss\":\"https://issuer\",\"sub\":\"host\",\"aud\":\"quay\""
#define DATES "\"iat\":1799999000,\"exp\":1800003600"

/* The claim that a sentence of the finding names, and its reason. */
static void assert_fits(LintFinding finding, const Failure *f) {
        static const struct {
                Reason reason, other;
                const char *claim;
        } findings[_LINT_FINDING_MAX] = {
                [LINT_EMPTY] = { REASON_TOKEN_EMPTY, REASON_TOKEN_EMPTY, "" },
                [LINT_MALFORMED] = { REASON_TOKEN_MALFORMED, REASON_TOKEN_MALFORMED, "" },
                [LINT_TOO_LONG] = { REASON_TOKEN_TOO_LONG, REASON_TOKEN_TOO_LONG, "" },
                [LINT_ALGORITHM] = { REASON_TOKEN_ALGORITHM, REASON_TOKEN_ALGORITHM, "('alg')" },
                [LINT_NO_KEY_ID] = { REASON_TOKEN_CLAIM_MISSING, REASON_TOKEN_CLAIM_MISSING, "('kid')" },
                [LINT_NO_ISSUER] = { REASON_TOKEN_CLAIM_MISSING, REASON_TOKEN_CLAIM_MISSING, "('iss')" },
                [LINT_ISSUER] = { REASON_TOKEN_ISSUER, REASON_TOKEN_ISSUER, "('iss')" },
                [LINT_NO_SUBJECT] = { REASON_TOKEN_CLAIM_MISSING, REASON_TOKEN_CLAIM_MISSING, "('sub')" },
                [LINT_NO_DATES] = { REASON_TOKEN_CLAIM_MISSING, REASON_TOKEN_CLAIM_MISSING, "" },
                [LINT_AUDIENCE] = { REASON_TOKEN_AUDIENCE, REASON_TOKEN_CLAIM_MISSING, "('aud')" },
                [LINT_EXPIRED] = { REASON_TOKEN_EXPIRED, REASON_TOKEN_EXPIRED, "('exp')" },
        };

        assert_in_range(finding, 0, _LINT_FINDING_MAX - 1);
        assert_true(f->reason == findings[finding].reason || f->reason == findings[finding].other);
        assert_non_null(strstr(f->message, findings[finding].claim));
        if (finding == LINT_NO_DATES)
                assert_true(strstr(f->message, "('iat')") || strstr(f->message, "('exp')"));
}

/* Returns the failure, NULL if there was none. */
static Failure *lint(const char *token, size_t size, const char *audience, bool clock_trusted,
                     JwtClaims **ret_claims) {
        LintFinding finding = _LINT_FINDING_INVALID;
        Failure *f = NULL;
        int r;

        r = lint_token(&(LintQuestion){ LINT_QUAY, audience, NOW, clock_trusted }, token, size, ret_claims,
                       &finding, &f);
        assert_int_equal(r, f != NULL);
        if (f) {
                assert_fits(finding, f);
                assert_int_equal(f->step, STEP_IDENTITY);
                assert_true(strlen(f->message) > 20 && f->message[strlen(f->message) - 1] != '.');
                assert_true(strlen(failure_hint(f)) > 20);
        }
        return f;
}

static Failure *lint_parts(const char *header, const char *payload, const char *audience) {
        _cleanup_free_ char *token = make_token(header, payload);
        _cleanup_jwt_ JwtClaims *claims = NULL;
        Failure *f = lint(token, strlen(token), audience, true, &claims);

        assert_non_null(claims);
        return f;
}

static void assert_says(const Failure *f, Reason reason, const char *message, const char *hint) {
        assert_non_null(f);
        assert_string_equal(reason_to_string(f->reason), reason_to_string(reason));
        if (!strstr(f->message, message))
                fail_msg("'%s' does not say '%s'", f->message, message);
        if (!strstr(failure_hint(f), hint))
                fail_msg("'%s' does not say '%s'", failure_hint(f), hint);
}

static void what_quay_takes_passes(void **state) {
        static const struct {
                const char *header, *payload, *audience;
        } rows[] = {
                { HEADER, "{" CLAIMS "," DATES "}", "quay" },
                { HEADER, "{" CLAIMS "," DATES "}", NULL },
                { "{\"alg\":\"RS384\",\"kid\":\"\"}", "{" CLAIMS "," DATES "}", "quay" },
                { HEADER, "{\"iss\":\"https://i/\",\"sub\":\"\",\"iat\":1,\"exp\":1800000000.5}", NULL },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\",\"aud\":[\"x\",\"quay\"]," DATES "}",
                  "quay" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\",\"aud\":7," DATES "}", NULL },
                /* dates that Quay does not look at, or forgives */
                { HEADER, "{" CLAIMS "," DATES ",\"nbf\":1900000000}", "quay" },
                { HEADER, "{" CLAIMS "," DATES ",\"nbf\":\"x\",\"jti\":5}", "quay" },
                { HEADER, "{" CLAIMS ",\"iat\":1800000100,\"exp\":1800003600}", "quay" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":1799999971}", "quay" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_failure_ Failure *f = lint_parts(rows[i].header, rows[i].payload, rows[i].audience);

                if (f)
                        fail_msg("row %zu: %s", i, f->message);
        }
}

static void each_mistake_has_its_reason_and_names_the_claim(void **state) {
        static const struct {
                const char *header, *payload;
                Reason reason;
                const char *message, *hint;
        } rows[] = {
                { "{\"alg\":\"ES256\",\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "'ES256' ('alg')",
                  "rsa-2048" },
                { "{\"alg\":\"RS512\",\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "'RS512' ('alg')",
                  "RS256 or RS384" },
                { "{\"alg\":\"none\",\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "'none' ('alg')",
                  "RS256 or RS384" },
                { "{\"alg\":\"rs256\",\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "'rs256'",
                  "RS256 or RS384" },
                { "{\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "no algorithm ('alg')",
                  "RS256 or RS384" },
                { "{\"alg\":7,\"kid\":\"k\"}", "{}", REASON_TOKEN_ALGORITHM, "no algorithm ('alg')",
                  "RS256 or RS384" },
                { "{\"alg\":\"RS256\"}", "{}", REASON_TOKEN_CLAIM_MISSING, "('kid')", "'kid'" },
                { "{\"alg\":\"RS256\",\"kid\":1}", "{}", REASON_TOKEN_CLAIM_MISSING, "('kid')",
                  "as a string" },
                { HEADER, "{}", REASON_TOKEN_CLAIM_MISSING, "issuer ('iss')", "https://" },
                { HEADER, "{\"iss\":5}", REASON_TOKEN_CLAIM_MISSING, "issuer ('iss')", "as a string" },
                { HEADER, "{\"iss\":\"http://issuer/a\"}", REASON_TOKEN_ISSUER,
                  "('iss') is 'http://issuer/a'", "https://" },
                { HEADER, "{\"iss\":\"issuer\"}", REASON_TOKEN_ISSUER, "('iss') is 'issuer'", "https://" },
                { HEADER, "{\"iss\":\"https://\"}", REASON_TOKEN_ISSUER, "('iss')", "https://" },
                { HEADER, "{\"iss\":\"\"}", REASON_TOKEN_ISSUER, "('iss')", "https://" },
                { HEADER, "{\"iss\":\"https://i\"}", REASON_TOKEN_CLAIM_MISSING, "no subject ('sub')",
                  "federation" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":1}", REASON_TOKEN_CLAIM_MISSING,
                  "('sub') is not a string", "as a string" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":null}", REASON_TOKEN_CLAIM_MISSING,
                  "('sub') is not a string", "as a string" },
                { HEADER, "{" CLAIMS ",\"exp\":1800003600}", REASON_TOKEN_CLAIM_MISSING,
                  "no time of issue ('iat')", "'iat'" },
                { HEADER, "{" CLAIMS ",\"iat\":\"x\",\"exp\":1800003600}", REASON_TOKEN_CLAIM_MISSING,
                  "('iat') is not a number", "numbers" },
                { HEADER, "{" CLAIMS ",\"iat\":1}", REASON_TOKEN_CLAIM_MISSING, "no end ('exp')", "'exp'" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":\"1800003600\"}", REASON_TOKEN_CLAIM_MISSING,
                  "('exp') is not a number", "numbers" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\"," DATES "}", REASON_TOKEN_CLAIM_MISSING,
                  "no audience ('aud')", "'quay'" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\",\"aud\":[]," DATES "}",
                  REASON_TOKEN_CLAIM_MISSING, "('aud')", "Audience=" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\",\"aud\":[\"a\",\"b\"]," DATES "}",
                  REASON_TOKEN_AUDIENCE, "'a, b' ('aud') and not for 'quay'", "Audience=" },
                { HEADER, "{\"iss\":\"https://i\",\"sub\":\"s\",\"aud\":\"Quay\"," DATES "}",
                  REASON_TOKEN_AUDIENCE, "'Quay'", "'quay'" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":1799999970}", REASON_TOKEN_EXPIRED,
                  "ended 30s ago ('exp')", "clock" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":1799992800}", REASON_TOKEN_EXPIRED, "ended 2h ago",
                  "renews" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":0}", REASON_TOKEN_EXPIRED, "('exp')", "clock" },
                { HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":-1e300}", REASON_TOKEN_EXPIRED, "('exp')",
                  "clock" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_failure_ Failure *f = lint_parts(rows[i].header, rows[i].payload, "quay");

                assert_says(f, rows[i].reason, rows[i].message, rows[i].hint);
                assert_int_equal(failure_class(f), FAILURE_IDENTITY_UNUSABLE);
        }
}

static void what_is_no_jwt_is_told_apart(void **state) {
        static const struct {
                const char *raw;
                Reason reason;
                const char *message, *hint;
        } rows[] = {
                { "", REASON_TOKEN_EMPTY, "empty", "token file" },
                { "secret", REASON_TOKEN_MALFORMED, "not three segments", "JWT" },
                { "e30.e30", REASON_TOKEN_MALFORMED, "not three segments", "JWT" },
                { "!.e30.", REASON_TOKEN_MALFORMED, "header is not base64url", "JWT" },
                { "e30.MQ.", REASON_TOKEN_MALFORMED, "payload is not a JSON object", "JWT" },
                { "{\"access_token\":\"secret\"}", REASON_TOKEN_MALFORMED, "JSON document", "nothing else" },
                { "Bearer e30.e30.e30", REASON_TOKEN_MALFORMED, "blanks", "Bearer" },
                { "e30.e30.\ne30", REASON_TOKEN_MALFORMED, "line breaks", "one line" },
                { "e30.e30.e30\n", REASON_TOKEN_MALFORMED, "line breaks", "one line" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JwtClaims *claims = NULL;
                _cleanup_failure_ Failure *f = lint(rows[i].raw, strlen(rows[i].raw), NULL, true, &claims);

                assert_says(f, rows[i].reason, rows[i].message, rows[i].hint);
                assert_null(strstr(f->message, "secret"));
                assert_null(claims);
        }
}

static void a_signature_that_was_cut_off_is_noticed(void **state) {
        _cleanup_free_ char *token = make_token(HEADER, "{" CLAIMS "," DATES "}");
        size_t size = strlen(token) - strlen(SIGNATURE);
        _cleanup_jwt_ JwtClaims *claims = NULL;
        _cleanup_failure_ Failure *f = lint(token, size, NULL, true, &claims);

        assert_says(f, REASON_TOKEN_MALFORMED, "signature", "as a whole");
        assert_non_null(claims);
}

static void a_token_that_fits_into_no_request_is_too_long(void **state) {
        _cleanup_free_ char *padding = malloc(LINT_TOKEN_MAX + 1), *payload = NULL, *token = NULL;
        size_t size;

        memset(padding, 'x', LINT_TOKEN_MAX);
        padding[LINT_TOKEN_MAX] = '\0';
        /* Four letters carry three bytes: these are below and above the limit by less than one group. */
        for (int above = 0; above < 2; above++) {
                _cleanup_jwt_ JwtClaims *claims = NULL;
                _cleanup_failure_ Failure *f = NULL;

                for (int n = LINT_TOKEN_MAX;; n--) {
                        assert_ok(
                                text_format(&payload, "{" CLAIMS "," DATES ",\"x\":\"%.*s\"}", n, padding));
                        token = make_token(HEADER, payload);
                        free(payload);
                        size = strlen(token);
                        if (size <= LINT_TOKEN_MAX + (above ? 4 : 0))
                                break;
                        free(token);
                }
                assert_in_range(size, LINT_TOKEN_MAX - 3 + (above ? 4 : 0),
                                LINT_TOKEN_MAX + (above ? 4 : 0));
                f = lint(token, size, "quay", true, &claims);
                free(TAKE_PTR(token));
                payload = NULL;
                assert_non_null(claims);
                if (above)
                        assert_says(f, REASON_TOKEN_TOO_LONG, "bytes", "claims");
                else
                        assert_null(f);
        }
}

static void a_huge_text_is_too_long_without_being_read(void **state) {
        size_t size = 65 * 1024;
        _cleanup_free_ char *raw = malloc(size);
        JwtClaims *claims = NULL;
        _cleanup_failure_ Failure *f = NULL;

        memset(raw, 'a', size);
        f = lint(raw, size, NULL, true, &claims);
        assert_says(f, REASON_TOKEN_TOO_LONG, "66560 bytes", "claims");
        assert_null(claims);
}

static void a_clock_in_doubt_judges_no_dates(void **state) {
        _cleanup_free_ char *token = make_token(HEADER, "{" CLAIMS ",\"iat\":1,\"exp\":2}");
        _cleanup_jwt_ JwtClaims *claims = NULL;

        assert_null(lint(token, strlen(token), "quay", false, &claims));
}

/* Returns the reason. */
static Reason lint_password(const char *header, const char *payload, const char *audience) {
        const LintQuestion q = { LINT_PASSWORD, audience, NOW, /* clock_trusted= */ true };
        _cleanup_free_ char *token = make_token(header, payload);
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_jwt_ JwtClaims *c = NULL;
        LintFinding finding;
        int r;

        r = lint_token(&q, token, strlen(token), &c, &finding, &f);
        assert_int_equal(r, f ? 1 : 0);
        if (f)
                assert_fits(finding, f);
        return f ? f->reason : REASON_NONE;
}

static void a_password_needs_little_more_than_an_end(void **state) {
        assert_int_equal(lint_password("{\"alg\":\"ES256\"}", "{\"exp\":1800003600}", NULL), REASON_NONE);
        assert_int_equal(lint_password("{}", "{\"iss\":\"http://kubernetes\",\"exp\":1800003600}", NULL),
                         REASON_NONE);
        assert_int_equal(lint_password("{}", "{\"iat\":1}", NULL), REASON_TOKEN_CLAIM_MISSING);
        assert_int_equal(lint_password("{}", "{\"exp\":1799990000}", NULL), REASON_TOKEN_EXPIRED);
        assert_int_equal(lint_password("{}", "{\"exp\":1800003600,\"aud\":\"x\"}", "quay"),
                         REASON_TOKEN_AUDIENCE);
}

static void claims_are_shown_clean_and_in_part(void **state) {
        _cleanup_failure_ Failure *f = NULL, *hostile = NULL;
        char payload[1024] = "{\"iss\":\"";

        memset(payload + strlen(payload), 'x', 800);
        strcat(payload, "\"}");
        f = lint_parts(HEADER, payload, NULL);
        assert_says(f, REASON_TOKEN_ISSUER, "x\xe2\x80\xa6', which is no https:// address", "https://");
        hostile = lint_parts(HEADER, "{\"iss\":\"a\\u202eb\\u2028c  d\"}", NULL);
        assert_says(hostile, REASON_TOKEN_ISSUER, "'a b c d'", "https://");
}

static void issuers_inside_of_a_cluster_are_known(void **state) {
        static const char *const internal[] = { "https://kubernetes.default.svc",
                                                "https://kubernetes.default.svc/",
                                                "https://kubernetes.default.svc.cluster.local:443/a",
                                                "https://KUBERNETES.DEFAULT.SVC:6443" },
                                 *const other[] = { "https://issuer.example.com",
                                                    "https://svc.example.com",
                                                    "https://mysvc",
                                                    "https://cluster.local.example.com",
                                                    "https://a/kubernetes.default.svc",
                                                    "http://a.svc",
                                                    "",
                                                    "https://" };

        for (size_t i = 0; i < ELEMENTSOF(internal); i++)
                assert_true(lint_issuer_is_internal(internal[i]));
        for (size_t i = 0; i < ELEMENTSOF(other); i++)
                assert_false(lint_issuer_is_internal(other[i]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_quay_takes_passes),
                cmocka_unit_test(each_mistake_has_its_reason_and_names_the_claim),
                cmocka_unit_test(what_is_no_jwt_is_told_apart),
                cmocka_unit_test(a_signature_that_was_cut_off_is_noticed),
                cmocka_unit_test(a_token_that_fits_into_no_request_is_too_long),
                cmocka_unit_test(a_huge_text_is_too_long_without_being_read),
                cmocka_unit_test(a_clock_in_doubt_judges_no_dates),
                cmocka_unit_test(a_password_needs_little_more_than_an_end),
                cmocka_unit_test(claims_are_shown_clean_and_in_part),
                cmocka_unit_test(issuers_inside_of_a_cluster_are_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
