/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and answers of pullauth-federate: what is written is read again, and nothing else is. */

#include "federation-fixture.h"
#include "model/federation-request.h"

#define PEM "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

static Secret *secret(const char *text) {
        Secret *s = NULL;

        assert_int_equal(secret_new_string(text, &s), 0);
        return s;
}

static void assert_secret(const Secret *s, const char *text) {
        assert_int_equal(secret_size(s), strlen(text));
        assert_memory_equal(secret_peek(s).iov_base, text, strlen(text));
}

static FederationRequest full(void) {
        return (FederationRequest){
                .registry = strdup("quay.example.com:8443"),
                .robot = strdup("acme+edge"),
                .token = secret("oauth"),
                .ca = strdup(PEM),
                .proxy = secret("http://user:hush@proxy:3128"),
                .timeout = 1500000,
                .set = true,
                .seen = federation_of("[{\"issuer\":\"i\",\"subject\":\"a\\nb\"}]"),
                .wanted = federation_of("[{\"issuer\":\"i\",\"subject\":\"c\",\"audiences\":[\"d\"]}]"),
        };
}

static void a_request_is_read_as_it_was_written(void **state) {
        _cleanup_(federation_request_done) FederationRequest q = full(), read = {}, plain = {};
        _cleanup_secret_ Secret *bytes = NULL, *fewer = NULL;

        assert_int_equal(federation_request_write(&q, &bytes), 0);
        assert_int_equal(federation_request_read(bytes, &read), 0);
        assert_string_equal(read.registry, q.registry);
        assert_string_equal(read.robot, q.robot);
        assert_secret(read.token, "oauth");
        assert_secret(read.proxy, "http://user:hush@proxy:3128");
        assert_string_equal(read.ca, PEM);
        assert_int_equal(read.timeout, 1500000);
        assert_true(read.set && federation_equal(&read.seen, &q.seen) &&
                    federation_equal(&read.wanted, &q.wanted));

        free(read.ca);
        read.ca = NULL;
        read.proxy = secret_free(read.proxy);
        read.set = false;
        federation_done(&read.seen);
        assert_int_equal(federation_request_write(&read, &fewer), 0);
        assert_int_equal(federation_request_read(fewer, &plain), 0);
        assert_null(plain.ca);
        assert_null(plain.proxy);
        assert_false(plain.set);
        assert_int_equal(plain.seen.n_items, 0);
}

static void a_request_is_complete_or_none(void **state) {
        static const char *const texts[] = {
                "",
                "token\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n",
                "\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n[]\n",
                "to ken\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n[]\n",
                "token\nhttp://p x\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n[]\n",
                "token\n\n{\"registry\":\"r/x\",\"robot\":\"a+b\"}\n[]\n[]\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a/b\"}\n[]\n[]\n",
                "token\n\n{\"registry\":\"r\"}\n[]\n[]\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\",\"set\":1}\n[]\n[]\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\",\"timeout_usec\":-1}\n[]\n[]\n",
                "token\n\n[]\n[]\n[]\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n{}\n[]\n",
                "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n\n",
        };
        static const char good[] = "token\n\n{\"registry\":\"r\",\"robot\":\"a+b\"}\n[]\n[]\n";
        _cleanup_(federation_request_done) FederationRequest q = {};
        _cleanup_secret_ Secret *bytes = secret(good), *nul = NULL;

        assert_int_equal(federation_request_read(bytes, &q), 0);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_secret_ Secret *s = secret(texts[i]);
                FederationRequest none = {};

                assert_int_equal(federation_request_read(s, &none), -EBADMSG);
                assert_null(none.token);
        }
        assert_int_equal(secret_new(good, sizeof(good), &nul), 0);
        federation_request_done(&q);
        assert_int_equal(federation_request_read(nul, &q), -EBADMSG);
}

static void a_federation_is_answered(void **state) {
        _cleanup_(federation_done) Federation f = federation_of("[{\"issuer\":\"i\",\"subject\":\"s\"}]"),
                                              read = {};
        _cleanup_free_ char *text = NULL;
        _cleanup_secret_ Secret *bytes = NULL;
        _cleanup_failure_ Failure *failure = NULL;

        assert_int_equal(federation_answer_write(&f, NULL, &text), 0);
        bytes = secret(text);
        assert_int_equal(federation_answer_read(bytes, &read, &failure), 0);
        assert_true(federation_equal(&f, &read));
        assert_null(failure);
}

static void a_failure_is_answered(void **state) {
        _cleanup_failure_ Failure *f = NULL, *read = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_secret_ Secret *bytes = NULL;
        Federation none = {};

        assert_int_equal(failure_new(&f, STEP_CONFIGURATION, REASON_ROBOT_UNKNOWN, "No robot"), 0);
        assert_ok(failure_set_words(f, "words", 5));
        f->http_status = 404;
        assert_int_equal(federation_answer_write(NULL, f, &text), 0);
        bytes = secret(text);
        assert_int_equal(federation_answer_read(bytes, &none, &read), 1);
        assert_string_equal(read->message, "No robot");
        assert_string_equal(read->words, "words");
        assert_string_equal(failure_hint(read), reason_hint(REASON_ROBOT_UNKNOWN));
        assert_int_equal(read->reason, REASON_ROBOT_UNKNOWN);
        assert_int_equal(read->http_status, 404);
}

static void what_is_no_answer_is_none(void **state) {
        static const char *const texts[] = {
                "",
                "text",
                "7",
                "{}",
                "[{}]",
                "{\"reason\":\"nonsense\",\"http_status\":0,\"message\":\"m\",\"words\":\"\",\"hint\":\"\"}",
                "{\"reason\":\"rejected\",\"http_status\":1000,\"message\":\"m\",\"words\":\"\"}",
                "{\"reason\":\"rejected\",\"http_status\":0,\"words\":\"\",\"hint\":\"\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_secret_ Secret *s = secret(texts[i]);
                Federation none = {};
                Failure *f = NULL;

                assert_int_equal(federation_answer_read(s, &none, &f), -EBADMSG);
                assert_null(f);
                assert_null(none.items);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_request_is_read_as_it_was_written),
                cmocka_unit_test(a_request_is_complete_or_none),
                cmocka_unit_test(a_federation_is_answered),
                cmocka_unit_test(a_failure_is_answered),
                cmocka_unit_test(what_is_no_answer_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
