/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Renderings of trials, identities and waits. */

#include "base/text.h"
#include "ctl/render.h"
#include "unit.h"

#include "ctl-example.h"

#define S(text) ((char *) text)

static const Style wide = { .utf8 = true, .legend = true };
static const Style narrow = { .utf8 = false, .legend = true, .columns = 60 };
static const Style bare = { .utf8 = true };

static TestStep items[] = {
        { S("token"), S("ok"), 999, S("read from /run/quay.jwt") },
        { S("dns"), S("ok"), 9999, S("") },
        { S("tls"), S("ok"), 10000, S("TLS 1.3, the certificate is that of quay.example.com") },
        { S("exchange"), S("failed"), 999999, S("HTTP 400") },
        { S("verification"), S("skipped"), 1000000, S("") },
};
static const TestSteps steps = { items, ELEMENTSOF(items) };

static void times_have_the_exactness_that_people_read(void **state) {
        const TestFailure none = { S(""), S(""), S(""), S(""), S(""), 0 };
        char *text = NULL;

        items[4].result = S("ok");
        assert_int_equal(render_test(&steps, &none, &wide, &text), 0);
        assert_string_equal(text, "STEP          RESULT      TIME  WHAT\n"
                                  "token         ok         0.9ms  read from /run/quay.jwt\n"
                                  "dns           ok         9.9ms\n"
                                  "tls           ok          10ms  TLS 1.3, the certificate is that of "
                                  "quay.example.com\n"
                                  "exchange      failed     999ms  HTTP 400\n"
                                  "verification  ok          1.0s\n"
                                  "\nEvery step worked; nothing was changed\n");
        free(text);
        assert_int_equal(render_test(&steps, &none, &bare, &text), 0);
        assert_non_null(startswith(text, "token"));
        assert_null(strstr(text, "Every step"));
        free(text);
        items[4].result = S("skipped");
}

static void a_failure_stands_below_and_details_are_wrapped(void **state) {
        const TestFailure failure = {
                S("robot-unknown"),        S("exchange"), S("No such robot"),
                S("Could not find robot"), S("Correct"),  400,
        };
        char *text = NULL;

        assert_int_equal(render_test(&steps, &failure, &narrow, &text), 0);
        assert_non_null(strstr(text, "tls           ok           10ms  TLS 1.3, the certificate is\n"
                                     "                                 that of quay.example.com\n"));
        assert_non_null(strstr(text, "verification  skipped         -\n"));
        assert_non_null(strstr(text, "   Failed: exchange: No such robot (robot-unknown, HTTP 400)\n"
                                     " Registry: \"Could not find robot\"\n"
                                     "    To do: Correct\n"));
        free(text);
}

static void an_identity_that_ended_is_told_of(void **state) {
        Claims one = {
                .name = S("node"),
                .issuer = S("https://oidc.example.com"),
                .subject = S("edge-1"),
                .algorithm = S("RS256"),
                .key_id = S(""),
                .problem = S("It ended"),
                .hint = S("Renew it"),
                .issued = EXAMPLE_NOW - USEC_PER_HOUR,
                .expires = EXAMPLE_NOW - 5 * USEC_PER_MINUTE,
        };
        const ClaimsList l = { &one, 1 };
        char *text = NULL;

        assert_int_equal(render_identities(&l, &bare, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text, "● node\n"
                                  "   Issuer: https://oidc.example.com\n"
                                  "  Subject: edge-1\n"
                                  "   Signed: RS256\n"
                                  "   Issued: Mon 2026-11-23 20:00:00 UTC\n"
                                  "  Expires: Mon 2026-11-23 20:55:00 UTC, that was 5min ago\n"
                                  "  Problem: It ended\n"
                                  "    To do: Renew it\n");
        free(text);
}

static void nothing_to_show_is_nothing(void **state) {
        const ClaimsList claims = {};
        const AwaitedJobs awaited = {};
        char *text = NULL;

        assert_int_equal(render_identities(&claims, &wide, EXAMPLE_NOW, &text), 0);
        assert_string_equal(text, "");
        free(text);
        assert_int_equal(render_awaited(&awaited, &wide, &text), 0);
        assert_string_equal(text, "");
        free(text);
}

static void what_is_not_ready_says_where_to_look(void **state) {
        Awaited one[] = { { S("a"), S("fresh"), S("") }, { S("b"), S("expired"), S("timeout") } };
        const AwaitedJobs l = { one, ELEMENTSOF(one) };
        char *text = NULL;

        assert_int_equal(render_awaited(&l, &narrow, &text), 0);
        assert_string_equal(text, "* a: fresh\n* b: expired (timeout), see 'pullauthctl status b'\n");
        free(text);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(times_have_the_exactness_that_people_read),
                cmocka_unit_test(a_failure_stands_below_and_details_are_wrapped),
                cmocka_unit_test(an_identity_that_ended_is_told_of),
                cmocka_unit_test(nothing_to_show_is_nothing),
                cmocka_unit_test(what_is_not_ready_says_where_to_look),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
