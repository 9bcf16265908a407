/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every refusal that Quay knows, and some that it does not. */

#include "quay-fixture.h"
#include "worker/exchange/quay-refusal.h"

#define HTML_500                                                                            \
        "<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n" \
        "    <h1><p>Internal Server Error</p></h1>\n\n  </body>\n</html>\n"

static Failure *refuse(int status, const char *body, const char *date) {
        _cleanup_(asked_done) Asked asked = ask();
        _cleanup_(answer_done) HttpAnswer a = answer_of(status, body);
        Failure *f = NULL;

        if (date)
                set_text(&a.date, date);
        assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
        assert_int_equal(f->step, STEP_EXCHANGE);
        assert_int_equal(f->http_status, status);
        assert_null(strchr(f->message, '%'));
        assert_null(strchr(failure_hint(f), '%'));
        return f;
}

typedef struct Row {
        int status;
        const char *body;
        Reason reason;
        const char *in_message, *in_hint; /* what a person must find there, or NULL */
} Row;

static const Row rows[] = {
        { 401, "{\"error\":\"No auth header\"}", REASON_REJECTED, NULL, "proxy" },
        { 401, "{\"error\":\"Invalid basic auth header\"}", REASON_REJECTED, NULL, "proxy" },
        { 401, "{\"error\":\"Could not parse basic auth header\"}", REASON_REJECTED, NULL, "proxy" },
        { 401, "{\"error\":\"Unexpected number of credentials found in basic auth header\"}",
          REASON_REJECTED, NULL, "proxy" },
        { 401, "{\"error\":\"Invalid robot\"}", REASON_ROBOT_NAME_INVALID, "acme+edge", "Robot=" },
        { 400, "{\"message\":\"Could not find robot with specified username\"}", REASON_ROBOT_UNKNOWN,
          "acme+edge", "Robot=" },
        { 400, "{\"message\":\"Robot does not have federated login configured\"}",
          REASON_FEDERATION_NOT_CONFIGURED, "acme+edge",
          "'https://issuer.example.com' with subject 'host-1'" },
        { 400, "{\"message\":\"Token does not contain issuer\"}", REASON_TOKEN_CLAIM_MISSING, "issuer",
          NULL },
        { 400, "{\"message\":\"issuer https://issuer.example.com not configured for this robot\"}",
          REASON_ISSUER_NOT_ACCEPTED, "'https://issuer.example.com'", "exactly as written" },
        { 400, "{\"message\":\"Token does not match robot\"}", REASON_SUBJECT_NOT_ACCEPTED, "'host-1'",
          "'host-1'" },
        { 400, "{\"message\":\"Invalid token: Signature has expired\"}", REASON_TOKEN_EXPIRED, NULL,
          "clock" },
        { 400, "{\"message\":\"Invalid token: Issued At claim (iat) cannot be in the future.\"}",
          REASON_CLOCK_SKEW, NULL, "clock" },
        { 400, "{\"message\":\"Invalid token: The token is not yet valid (iat)\"}", REASON_CLOCK_SKEW, NULL,
          "clock" },
        { 400, "{\"message\":\"Invalid token: Issued At claim (iat) must be an integer.\"}",
          REASON_IDENTITY_REJECTED, NULL, NULL },
        { 400, "{\"message\":\"Invalid token: Token is missing the \\\"iat\\\" claim\"}",
          REASON_TOKEN_CLAIM_MISSING, NULL, "'iat'" },
        { 400, "{\"message\":\"Invalid token: Token is missing the \\\"aud\\\" claim\"}",
          REASON_TOKEN_CLAIM_MISSING, NULL, "'aud'" },
        { 400, "{\"message\":\"Invalid token: Subject must be a string\"}", REASON_IDENTITY_REJECTED, NULL,
          NULL },
        { 400, "{\"message\":\"Invalid token: Missing `kid` header\"}", REASON_TOKEN_CLAIM_MISSING, NULL,
          "'kid'" },
        { 400, "{\"message\":\"Invalid token: Signature verification failed\"}",
          REASON_SIGNATURE_NOT_ACCEPTED, NULL, "'k1'" },
        { 400, "{\"message\":\"Invalid token: The specified alg value is not allowed\"}",
          REASON_TOKEN_ALGORITHM, NULL, "RS256" },
        { 400, "{\"message\":\"Invalid token: Audience doesn't match\"}", REASON_AUDIENCE_NOT_ACCEPTED,
          "'quay'", "'quay'" },
        { 400, "{\"message\":\"Invalid token: Issuer 'x' not in configured issuers: ['y']\"}",
          REASON_ISSUER_NOT_ACCEPTED, "https://issuer.example.com",
          "https://issuer.example.com/.well-known/openid-configuration" },
        { 400, "{\"message\":\"Invalid token: something that this library says tomorrow\"}",
          REASON_IDENTITY_REJECTED, NULL, NULL },
        { 400, "{\"message\":\"something that Quay says tomorrow\"}", REASON_REJECTED, NULL, NULL },
        { 400, "", REASON_REJECTED, NULL, NULL },
        { 400, "<title>Bad Request</title>", REASON_REJECTED, NULL, NULL },
        { 431, "", REASON_TOKEN_TOO_LONG, NULL, "claims" },
        { 500, HTML_500, REASON_REGISTRY_ERROR, "500",
          "https://issuer.example.com/.well-known/openid-configuration" },
        { 502, "<html><head><title>502 Bad Gateway</title></head></html>", REASON_REGISTRY_CLOSED, "502",
          "https://issuer.example.com" },
        { 504, "<html><head><title>504 Gateway Time-out</title></head></html>", REASON_REGISTRY_CLOSED,
          "504", "https://issuer.example.com" },
        { 503, "{\"message\":\"System is currently read-only. Pulls will succeed.\",\"is_readonly\":true}",
          REASON_REGISTRY_READ_ONLY, NULL, "maintenance" },
        { 503, "", REASON_REGISTRY_ERROR, NULL, NULL },
        { 404, "<title>404</title>", REASON_NOT_FOUND, "quay.example.com knows no federation", "3.13" },
        { 405, "<title>405</title>", REASON_NOT_FOUND, "federation", "3.13" },
        { 403, "<title>Forbidden</title>", REASON_REJECTED, NULL, NULL },
        { 429, "<title>Too Many</title>", REASON_RATE_LIMITED, NULL, NULL },
        { 301, "", REASON_REGISTRY_REDIRECTED, NULL, "Registry=" },
        { 204, "", REASON_ANSWER_MALFORMED, NULL, NULL },
        { 201, "{\"token\":\"x\"}", REASON_ANSWER_MALFORMED, NULL, NULL },
};

static void every_refusal_has_its_reason_and_says_what_to_do(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Row *row = rows + i;
                _cleanup_failure_ Failure *f = refuse(row->status, row->body, NOW_DATE);

                if (f->reason != row->reason)
                        print_message("%s\n", row->body);
                assert_int_equal(f->reason, row->reason);
                if (row->in_message)
                        assert_non_null(strstr(f->message, row->in_message));
                if (row->in_hint)
                        assert_non_null(strstr(failure_hint(f), row->in_hint));
        }
}

static void only_what_the_issuer_may_cause_is_blamed_on_it(void **state) {
        static const int statuses[] = { 501, 503, 429, 403, 404 };

        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                _cleanup_failure_ Failure *f = refuse(statuses[i], "", NOW_DATE);

                assert_null(strstr(failure_hint(f), "issuer.example.com"));
        }
}

static void a_sentence_in_html_is_not_believed(void **state) {
        _cleanup_failure_ Failure *f =
                refuse(400, "<title>Could not find robot with specified username</title>", NOW_DATE);

        assert_int_equal(f->reason, REASON_REJECTED);
        assert_string_equal(f->words, "Could not find robot with specified username");
}

static Reason refuse_dated(const char *payload, const char *date, const char *message) {
        _cleanup_(asked_done) Asked asked = ask_with(payload);
        _cleanup_(answer_done) HttpAnswer a = {};
        _cleanup_failure_ Failure *f = NULL;
        char body[200];

        snprintf(body, sizeof(body), "{\"message\":\"%s\"}", message);
        a = answer_of(400, body);
        set_text(&a.date, date);
        assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
        return f->reason;
}

#define UNKNOWN "Invalid token: tomorrow"
#define EXPIRED "Invalid token: Signature has expired"

static void dates_speak_where_a_sentence_is_not_known(void **state) {
        static const char over[] = "{\"iat\":1795474000,\"exp\":1795478300}",
                          early[] = "{\"iat\":1795478440,\"exp\":1795488400}",
                          good[] = "{\"iat\":1795478390,\"exp\":1795488400}";

        assert_int_equal(refuse_dated(over, NOW_DATE, UNKNOWN), REASON_TOKEN_EXPIRED);
        assert_int_equal(refuse_dated(early, NOW_DATE, UNKNOWN), REASON_CLOCK_SKEW);
        assert_int_equal(refuse_dated(good, NOW_DATE, UNKNOWN), REASON_IDENTITY_REJECTED);
        /* The registry is ten minutes ahead of us: it is a matter of clocks. */
        assert_int_equal(refuse_dated("{\"iat\":1795478390,\"exp\":1795478900}",
                                      "Tue, 24 Nov 2026 00:10:00 GMT", UNKNOWN),
                         REASON_CLOCK_SKEW);
        /* They must not speak against a sentence that is known. */
        assert_int_equal(refuse_dated(over, NOW_DATE, "Invalid token: Signature verification failed"),
                         REASON_SIGNATURE_NOT_ACCEPTED);
}

static void expired_by_a_clock_that_is_not_ours_is_skew(void **state) {
        static const char good[] = "{\"iat\":1795478390,\"exp\":1795478900}";

        assert_int_equal(refuse_dated(good, "Tue, 24 Nov 2026 00:10:00 GMT", EXPIRED), REASON_CLOCK_SKEW);
        assert_int_equal(refuse_dated(good, NOW_DATE, EXPIRED), REASON_TOKEN_EXPIRED);
        assert_int_equal(refuse_dated(good, "nonsense", EXPIRED), REASON_TOKEN_EXPIRED);
}

static void a_web_server_that_does_not_read_a_long_identity(void **state) {
        char payload[4000];

        snprintf(payload, sizeof(payload), "{\"padding\":\"%03500d\"}", 0);
        _cleanup_(asked_done) Asked asked = ask_with(payload);
        _cleanup_(answer_done) HttpAnswer a = answer_of(400, "<title>Bad Request</title>");
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
        assert_int_equal(f->reason, REASON_TOKEN_TOO_LONG);
}

static void an_answer_that_quotes_the_identity_is_not_quoted(void **state) {
        _cleanup_(asked_done) Asked asked = ask();
        _cleanup_(answer_done) HttpAnswer a = {};
        _cleanup_failure_ Failure *f = NULL;
        char body[1024];

        snprintf(body, sizeof(body), "{\"message\":\"Invalid token: %s\"}", text_of(asked.token));
        a = answer_of(400, body);
        assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
        assert_null(f->words);
        assert_int_equal(failure_class(f), FAILURE_REJECTED);
}

static void claims_that_look_like_specifiers_are_only_text(void **state) {
        _cleanup_(asked_done) Asked asked =
                ask_with("{\"iss\":\"https://%s%n%\",\"sub\":\"%i%%\",\"aud\":[\"a\",\"%k\"]}");
        _cleanup_(answer_done) HttpAnswer a = answer_of(400, "{\"message\":\"Token does not match robot\"}");
        _cleanup_failure_ Failure *f = NULL;

        assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
        assert_string_equal(f->message, "Robot account acme+edge does not accept subject '%i%%'");
        assert_non_null(strstr(failure_hint(f), "'https://%s%n%'"));
}

static void claims_that_are_missing_leave_a_question_mark(void **state) {
        _cleanup_(asked_done) Asked asked = ask_with("{}");

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(answer_done) HttpAnswer a = answer_of(rows[i].status, rows[i].body);
                _cleanup_failure_ Failure *f = NULL;

                assert_int_equal(quay_refusal_read(&asked.question, &a, &f), 0);
                assert_null(strstr(f->message, "(null)"));
                assert_null(strstr(failure_hint(f), "(null)"));
        }
}

static void no_answer_behind_the_handshake_is_about_the_issuer(void **state) {
        _cleanup_(asked_done) Asked asked = ask();
        HttpAnswer a = { .problem = HTTP_CLOSED, .timings = { .secured = 5 } };
        _cleanup_failure_ Failure *closed = NULL, *unreachable = NULL;

        assert_int_equal(quay_refusal_of_problem(&asked.question, &a, &closed), 0);
        assert_int_equal(closed->reason, REASON_REGISTRY_CLOSED);
        assert_non_null(strstr(failure_hint(closed), "https://issuer.example.com/.well-known"));
        a.problem = HTTP_CONNECT;
        assert_int_equal(quay_refusal_of_problem(&asked.question, &a, &unreachable), 0);
        assert_int_equal(unreachable->reason, REASON_CONNECTION_FAILED);
        assert_null(strstr(failure_hint(unreachable), "issuer"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_refusal_has_its_reason_and_says_what_to_do),
                cmocka_unit_test(only_what_the_issuer_may_cause_is_blamed_on_it),
                cmocka_unit_test(a_sentence_in_html_is_not_believed),
                cmocka_unit_test(dates_speak_where_a_sentence_is_not_known),
                cmocka_unit_test(expired_by_a_clock_that_is_not_ours_is_skew),
                cmocka_unit_test(a_web_server_that_does_not_read_a_long_identity),
                cmocka_unit_test(an_answer_that_quotes_the_identity_is_not_quoted),
                cmocka_unit_test(claims_that_look_like_specifiers_are_only_text),
                cmocka_unit_test(claims_that_are_missing_leave_a_question_mark),
                cmocka_unit_test(no_answer_behind_the_handshake_is_about_the_issuer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
