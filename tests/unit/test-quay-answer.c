/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Good answers of Quay, and those that only look good. */

#include "draw.h"
#include "quay-fixture.h"

/* What came of an answer with this body. */
typedef struct Outcome {
        int r;
        Credential *credential;
        Failure *failure;
        char **notices;
} Outcome;

static void outcome_done(Outcome *o) {
        credential_free(o->credential);
        failure_free(o->failure);
        strv_free(o->notices);
}

static Outcome read_body(const char *body, const char *date) {
        _cleanup_(asked_done) Asked asked = ask();
        _cleanup_(answer_done) HttpAnswer a = answer_of(200, body);
        Outcome o = {};

        if (date)
                set_text(&a.date, date);
        o.r = quay_answer_read(&asked.question, &a, &o.credential, &o.failure, &o.notices);
        assert_int_equal(o.r == 0, !!o.credential);
        assert_int_equal(o.r == 1, !!o.failure);
        if (o.failure) {
                assert_int_equal(o.failure->step, STEP_EXCHANGE);
                assert_int_equal(o.failure->http_status, 200);
        }
        return o;
}

static Outcome read_token(const char *payload, const char *date) {
        _cleanup_secret_ Secret *token = token_of(payload);
        char body[2048];

        assert_true(snprintf(body, sizeof(body), "{\"token\":\"%s\"}\n", text_of(token)) <
                    (int) sizeof(body));
        return read_body(body, date);
}

static Outcome read_dates(int64_t issued, int64_t expires, const char *date) {
        char payload[200];

        snprintf(payload, sizeof(payload),
                 "{\"aud\":\"quay.example.com\",\"nbf\":%" PRIi64 ",\"iat\":%" PRIi64 ",\"exp\":%" PRIi64
                 "}",
                 issued, issued, expires);
        return read_token(payload, date);
}

static void a_token_becomes_a_credential_of_the_robot(void **state) {
        _cleanup_(outcome_done) Outcome o = read_dates(NOW, NOW + 3600, NOW_DATE);

        assert_int_equal(o.r, 0);
        assert_string_equal(o.credential->user, "acme+edge");
        assert_true(text_is_token(text_of(o.credential->secret)));
        assert_int_equal(o.credential->issued, NOW);
        assert_int_equal(o.credential->expires, NOW + 3600);
        assert_int_equal(o.credential->obtained_boot, 100);
        assert_null(o.notices);
}

static void our_own_clock_does_not_judge_it(void **state) {
        /* A day away from us, and in step with the registry. */
        _cleanup_(outcome_done)
                Outcome o = read_dates(NOW - 86400, NOW - 82800, "Mon, 23 Nov 2026 00:00:05 GMT"),
                        p = read_dates(NOW - 86400, NOW - 82800, NULL);

        assert_int_equal(o.r, 0);
        assert_int_equal(o.credential->expires, NOW - 82800);
        assert_int_equal(p.r, 0);
}

static void assert_not_usable(Outcome o) {
        assert_int_equal(o.r, 1);
        assert_int_equal(o.failure->reason, REASON_TOKEN_NOT_USABLE);
        outcome_done(&o);
}

static void a_token_that_is_over_by_the_registrys_clock_is_none(void **state) {
        assert_not_usable(read_dates(NOW - 3600, NOW, NOW_DATE));
        assert_not_usable(read_dates(NOW - 3600, NOW - 1, NOW_DATE));
        assert_not_usable(read_dates(0, 3600, NOW_DATE));
}

static void a_token_that_begins_later_is_none(void **state) {
        _cleanup_(outcome_done) Outcome o = read_dates(NOW + 30, NOW + 3600, NOW_DATE);

        assert_int_equal(o.r, 0);
        assert_not_usable(read_dates(NOW + 31, NOW + 3600, NOW_DATE));
        assert_not_usable(
                read_token("{\"iat\":1795478400,\"nbf\":1795478431,\"exp\":1795482000}", NOW_DATE));
}

static void dates_that_make_no_sense_are_refused(void **state) {
        assert_not_usable(read_dates(NOW, NOW, NULL));
        assert_not_usable(read_dates(NOW, NOW - 5, NULL));
        assert_not_usable(read_dates(-5, NOW, NULL));
        assert_not_usable(read_dates(NOW, INT64_MAX, NULL));
        assert_not_usable(read_token("{\"iat\":1795478400,\"exp\":9223372036854775808}", NULL));
        assert_not_usable(read_token("{\"iat\":1795478400,\"exp\":1e30}", NULL));
}

static void of_a_token_that_is_not_fresh_only_the_rest_counts(void **state) {
        _cleanup_(outcome_done) Outcome o = read_dates(NOW - 1800, NOW + 1800, NOW_DATE);

        assert_int_equal(o.r, 0);
        assert_int_equal(credential_lifetime(o.credential), 1800 * USEC_PER_SEC);
        assert_int_equal(o.credential->expires, NOW + 1800);
}

static void life_is_never_taken_for_longer_than_it_is(void **state) {
        Draw d = { 12 };

        for (unsigned i = 0; i < 2000; i++) {
                int64_t issued = NOW - 5000 + (int64_t) draw_below(&d, 10000);
                int64_t expires = issued - 10 + (int64_t) draw_any_size(&d) % 10000;
                _cleanup_(outcome_done) Outcome o = read_dates(issued, expires, NOW_DATE);

                if (!o.credential)
                        continue;
                assert_true(credential_lifetime(o.credential) <= (usec_t) (expires - issued) * USEC_PER_SEC);
                assert_true(credential_lifetime(o.credential) <=
                            (usec_t) (expires - NOW + 30) * USEC_PER_SEC);
        }
}

static void a_token_that_does_not_say_lives_an_hour_from_the_registrys_now(void **state) {
        _cleanup_(outcome_done)
                Outcome opaque = read_body("{\"token\":\"ABCDEF\"}", "Tue, 24 Nov 2026 00:05:00 GMT"),
                        no_exp = read_token("{\"iat\":5}", NOW_DATE),
                        no_date = read_body("{\"token\":\"ABCDEF\"}", NULL);

        assert_int_equal(opaque.r, 0);
        assert_int_equal(opaque.credential->issued, NOW + 300);
        assert_int_equal(opaque.credential->expires, NOW + 3900);
        assert_int_equal(strv_length(opaque.notices), 1);
        assert_int_equal(no_exp.credential->expires, NOW + 3600);
        assert_int_equal(no_date.credential->expires, NOW + 3600);
}

static void a_registry_of_another_name_is_worth_a_notice(void **state) {
        _cleanup_(outcome_done) Outcome o = read_token(
                "{\"aud\":\"quay.internal:8443\",\"iat\":1795478400,\"exp\":1795482000}", NOW_DATE);

        assert_int_equal(o.r, 0);
        assert_int_equal(strv_length(o.notices), 1);
        assert_non_null(strstr(o.notices[0], "quay.internal:8443"));
}

static void success_without_a_token_is_malformed(void **state) {
        static const char *const bodies[] = {
                "",
                "{}",
                "[]",
                "null",
                "\"token\"",
                "{\"token\":null}",
                "{\"token\":5}",
                "{\"token\":\"\"}",
                "{\"token\":\"two words\"}",
                "{\"token\":\"line\\nbreak\"}",
                "{\"token\":\"nul\\u0000\"}",
                "{\"token\":\"a\",\"token\":\"b\"}",
                "{\"token\":\"a\"} trailing",
                "{\"token\":\"torn",
                "{\"access_token\":\"a\"}",
                "<html><title>Sign in to our wireless network</title></html>",
                "ABCDEF",
        };

        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_(outcome_done) Outcome o = read_body(bodies[i], NOW_DATE);

                assert_int_equal(o.r, 1);
                assert_int_equal(o.failure->reason, REASON_ANSWER_MALFORMED);
        }
}

static void a_portal_is_quoted(void **state) {
        _cleanup_(outcome_done) Outcome o = read_body("<title>Sign in to our network</title>", NOW_DATE);

        assert_string_equal(o.failure->words, "Sign in to our network");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_token_becomes_a_credential_of_the_robot),
                cmocka_unit_test(our_own_clock_does_not_judge_it),
                cmocka_unit_test(a_token_that_is_over_by_the_registrys_clock_is_none),
                cmocka_unit_test(a_token_that_begins_later_is_none),
                cmocka_unit_test(dates_that_make_no_sense_are_refused),
                cmocka_unit_test(of_a_token_that_is_not_fresh_only_the_rest_counts),
                cmocka_unit_test(life_is_never_taken_for_longer_than_it_is),
                cmocka_unit_test(a_token_that_does_not_say_lives_an_hour_from_the_registrys_now),
                cmocka_unit_test(a_registry_of_another_name_is_worth_a_notice),
                cmocka_unit_test(success_without_a_token_is_malformed),
                cmocka_unit_test(a_portal_is_quoted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
