/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a Workload API is asked and answers; the same with a real gRPC server is in tests/quay. */

#include "codec/grpc.h"
#include "codec/protobuf.h"
#include "worker-fixture.h"
#include "worker/spiffe-answer.h"

#define SOCKET "/run/spire/api.sock"

static const SpiffeWish plain = { .socket = SOCKET, .audience = "quay", .timeout = 20 * USEC_PER_SEC };

static void the_request_is_as_the_standard_writes_it(void **state) {
        SpiffeWish w = plain;
        _cleanup_free_ void *body = NULL, *filtered = NULL;
        size_t size;

        assert_ok(spiffe_request(&w, &body, &size));
        assert_int_equal(size, 11);
        assert_memory_equal(body, "\0\0\0\0\6\x0a\4quay", size);
        w.spiffe_id = "spiffe://a/b";
        assert_ok(spiffe_request(&w, &filtered, &size));
        assert_int_equal(size, 25);
        assert_memory_equal(filtered, "\0\0\0\0\x14\x0a\4quay\x12\x0cspiffe://a/b", size);
}

/* An answer with one identity for each of the rows. */
static HttpAnswer answer_with(const char *const (*rows)[3], size_t n) {
        uint8_t message[1024], svid[256];
        size_t size = 0;
        HttpAnswer a = { .status = 200 };
        Secret *body;

        for (size_t i = 0; i < n; i++) {
                size_t used = 0;

                for (uint32_t k = 0; k < 3; k++)
                        if (rows[i][k])
                                used += protobuf_put(svid + used, k + 1, rows[i][k], strlen(rows[i][k]));
                size += protobuf_put(message + size, 1, svid, used);
        }
        assert_int_equal(secret_new_zero(GRPC_PREFIX_SIZE + size, &body), 0);
        grpc_prefix(secret_writable(body).iov_base, (uint32_t) size);
        (void) memcpy((uint8_t *) secret_writable(body).iov_base + GRPC_PREFIX_SIZE, message, size);
        a.body = body;
        set_text(&a.grpc_status, "0");
        return a;
}

static void assert_token(const SpiffeWish *w, const HttpAnswer *a, const char *token) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(spiffe_answer(w, a, &s, &f), 0);
        assert_null(f);
        assert_string_equal(text_of(s), token);
}

static void assert_failure(const SpiffeWish *w, const HttpAnswer *a, Reason reason, const char *says) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(spiffe_answer(w, a, &s, &f), 1);
        assert_null(s);
        assert_int_equal(f->reason, reason);
        assert_int_equal(f->step, STEP_IDENTITY);
        assert_non_null(strstr(f->message, says));
}

static void the_only_identity_needs_no_name(void **state) {
        static const char *const rows[][3] = { { "spiffe://a/b", "h.p.s", NULL } };
        _cleanup_(answer_done) HttpAnswer a = answer_with(rows, 1);
        SpiffeWish w = plain;

        assert_token(&w, &a, "h.p.s");
        w.spiffe_id = "spiffe://a/c";
        assert_failure(&w, &a, REASON_IDENTITY_SOURCE_REFUSED, "but spiffe://a/b");
}

static void names_are_compared_to_the_last_character(void **state) {
        static const char *const rows[][3] = { { "spiffe://a/b", "one", "x" },
                                               { "spiffe://a/bc", "two", "xy" },
                                               { "spiffe://a/", "three", "" } };
        _cleanup_(answer_done) HttpAnswer a = answer_with(rows, 3);
        SpiffeWish w = plain;

        w.spiffe_id = "spiffe://a/b";
        assert_token(&w, &a, "one");
        w.spiffe_id = NULL;
        w.hint = "xy";
        assert_token(&w, &a, "two");
        w.hint = NULL;
        assert_failure(&w, &a, REASON_IDENTITY_SOURCE_REFUSED, "several");
}

static void a_list_of_identities_is_cut_and_clean(void **state) {
        static const char *const rows[][3] = { { "spiffe://a\n\x1b[31m", "hush", NULL },
                                               { "\xff", "hush", "\r" },
                                               { NULL, NULL, NULL } };
        _cleanup_(answer_done) HttpAnswer a = answer_with(rows, 3);
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(spiffe_answer(&plain, &a, &s, &f), 1);
        assert_null(strpbrk(f->message, "\n\r\x1b"));
        assert_null(strstr(f->message, "hush"));
}

static void an_early_no_counts_even_if_the_connection_broke_then(void **state) {
        _cleanup_(answer_done) HttpAnswer a = { .status = 200, .problem = HTTP_BROKEN };

        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "speaks no gRPC");
        set_text(&a.grpc_status, "7");
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_REFUSED, "status 7");
        /* A yes without its end is none. */
        set_text(&a.grpc_status, "0");
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "speaks no gRPC");
}

static void connections_that_fail_say_why(void **state) {
        HttpAnswer a = { .problem = HTTP_CONNECT, .connect_error = ENOENT };

        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, SOCKET ": No such file");
        a.connect_error = EACCES;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "Permission denied");
        a.connect_error = 0;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, SOCKET);
        a.problem = HTTP_TIMEOUT;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "within 20s");
        a.problem = HTTP_TOO_LARGE;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "larger");
        a.problem = HTTP_INTERNAL;
        assert_failure(&plain, &a, REASON_INTERNAL, "could not be asked");
}

static void answers_that_are_none_of_grpc(void **state) {
        static const char *const rows[][3] = { { "spiffe://a/b", "h.p.s", NULL } };
        _cleanup_(answer_done) HttpAnswer a = answer_with(rows, 1);

        a.status = 404;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "status of HTTP");
        a.status = 200;
        set_text(&a.grpc_status, "well");
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "no status of gRPC");
        set_text(&a.grpc_status, "0");
        ((uint8_t *) secret_writable(a.body).iov_base)[0] = 1;
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "compressed");
        secret_truncate(a.body, 3);
        assert_failure(&plain, &a, REASON_IDENTITY_SOURCE_FAILED, "not the one message");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_request_is_as_the_standard_writes_it),
                cmocka_unit_test(the_only_identity_needs_no_name),
                cmocka_unit_test(names_are_compared_to_the_last_character),
                cmocka_unit_test(a_list_of_identities_is_cut_and_clean),
                cmocka_unit_test(an_early_no_counts_even_if_the_connection_broke_then),
                cmocka_unit_test(connections_that_fail_say_why),
                cmocka_unit_test(answers_that_are_none_of_grpc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
