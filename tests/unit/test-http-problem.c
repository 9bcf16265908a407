/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What went wrong in libcurl, told alike for each of its TLS libraries. The sentences are those that
 * libcurl says with OpenSSL and with GnuTLS. */

#include <curl/curl.h>

#include "io/http-problem.h"
#include "unit.h"

#define NOVEMBER (UINT64_C(1795478400) * USEC_PER_SEC) /* 2026-11-24 00:00:00 UTC */

static HttpProblem with_text(CURLcode code, const char *text) {
        return http_problem(&(HttpOutcome){ .code = (int) code, .text = text, .connected = true });
}

static void codes_that_say_it_all(void **state) {
        static const struct {
                CURLcode code;
                HttpProblem problem;
        } rows[] = {
                { CURLE_OK, HTTP_OK },
                { CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE },
                { CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE },
                { CURLE_COULDNT_CONNECT, HTTP_CONNECT },
                { CURLE_PROXY, HTTP_CONNECT },
                { CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT },
                { CURLE_GOT_NOTHING, HTTP_CLOSED },
                { CURLE_RECV_ERROR, HTTP_CLOSED },
                { CURLE_SEND_ERROR, HTTP_CLOSED },
                { CURLE_PARTIAL_FILE, HTTP_BROKEN },
                { CURLE_WEIRD_SERVER_REPLY, HTTP_BROKEN },
                { CURLE_UNSUPPORTED_PROTOCOL, HTTP_BROKEN },
                { CURLE_HTTP2, HTTP_BROKEN },
                { CURLE_HTTP2_STREAM, HTTP_BROKEN },
                { CURLE_SSL_CACERT_BADFILE, HTTP_TLS_UNTRUSTED },
                { CURLE_SSL_CIPHER, HTTP_TLS_OTHER },
                { CURLE_FILESIZE_EXCEEDED, HTTP_TOO_LARGE },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(with_text(rows[i].code, ""), rows[i].problem);
}

static void every_code_of_libcurl_is_some_problem(void **state) {
        for (int code = CURLE_OK + 1; code < CURL_LAST; code++) {
                HttpProblem p = with_text((CURLcode) code, "");

                assert_true(p > HTTP_OK && p < _HTTP_PROBLEM_MAX);
        }
}

static void certificates_of_another_name(void **state) {
        static const char *const texts[] = {
                "SSL: no alternative certificate subject name matches target host name 'quay.example.com'",
                "SSL: certificate subject name (wrong.example.com) does not match target host name "
                "'quay.example.com'",
                "SSL: certificate subject name 'wrong.example.com' does not match target host name "
                "'quay.example.com'",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(with_text(CURLE_PEER_FAILED_VERIFICATION, texts[i]), HTTP_TLS_HOST);
}

static void certificates_whose_time_is_not_now(void **state) {
        static const char *const texts[] = {
                "SSL certificate problem: certificate has expired",
                "SSL certificate problem: certificate is not yet valid",
                "server certificate expiration date has passed.",
                "server certificate not activated yet.",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(with_text(CURLE_PEER_FAILED_VERIFICATION, texts[i]), HTTP_TLS_DATES);
}

static void gnutls_tells_by_the_dates_in_the_certificates(void **state) {
        HttpOutcome o = {
                .code = CURLE_PEER_FAILED_VERIFICATION,
                .text = "server certificate verification failed. CAfile: /etc/ssl/certs/ca-certificates.crt "
                        "CRLfile: none",
        };

        assert_int_equal(http_problem(&o), HTTP_TLS_UNTRUSTED);
        o.certificate_dates = true;
        assert_int_equal(http_problem(&o), HTTP_TLS_DATES);
}

static void certificates_that_nobody_vouches_for(void **state) {
        static const char *const texts[] = {
                "SSL certificate problem: unable to get local issuer certificate",
                "SSL certificate problem: self-signed certificate in certificate chain",
                "SSL certificate problem: CA signature digest algorithm too weak",
                "",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(with_text(CURLE_PEER_FAILED_VERIFICATION, texts[i]), HTTP_TLS_UNTRUSTED);
}

static void a_handshake_that_is_cut_off_is_no_matter_of_trust(void **state) {
        static const char *const ended[] = {
                "gnutls_handshake() failed: The TLS connection was non-properly terminated.",
                "OpenSSL SSL_connect: Connection reset by peer in connection to 127.0.0.1:8443",
                "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to 127.0.0.1:8443",
                "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading",
        };

        for (size_t i = 0; i < ELEMENTSOF(ended); i++)
                assert_int_equal(with_text(CURLE_SSL_CONNECT_ERROR, ended[i]), HTTP_CLOSED);
        assert_int_equal(with_text(CURLE_SSL_CONNECT_ERROR,
                                   "gnutls_handshake() failed: A packet with illegal or "
                                   "unsupported version was received."),
                         HTTP_TLS_OTHER);
}

static void a_handshake_that_fails_over_a_signature_is(void **state) {
        assert_int_equal(with_text(CURLE_SSL_CONNECT_ERROR,
                                   "OpenSSL/3.0.19: error:06880006:asn1 encoding routines::EVP lib"),
                         HTTP_TLS_UNTRUSTED);
}

static void a_connection_that_ends_within_an_answer_is_broken(void **state) {
        HttpOutcome o = { .code = CURLE_RECV_ERROR, .text = "", .connected = true, .answering = true };

        assert_int_equal(http_problem(&o), HTTP_BROKEN);
}

static void headers_that_do_not_end_are_broken(void **state) {
        assert_int_equal(http_problem(&(HttpOutcome){ .code = CURLE_OK, .headers_open = true }),
                         HTTP_BROKEN);
}

static void a_proxy_that_says_no_is_a_connection_that_failed(void **state) {
        HttpOutcome o = {
                .code = CURLE_RECV_ERROR,
                .text = "CONNECT tunnel failed, response 407",
                .connected = true,
                .answering = true,
                .proxy_status = 407,
        };

        assert_int_equal(http_problem(&o), HTTP_CONNECT);
        o.secured = true;
        assert_int_equal(http_problem(&o), HTTP_BROKEN);
}

static void our_caps_explain_any_code(void **state) {
        assert_int_equal(http_problem(&(HttpOutcome){ .code = CURLE_WRITE_ERROR, .too_large = true }),
                         HTTP_TOO_LARGE);
        assert_int_equal(http_problem(&(HttpOutcome){ .code = CURLE_OUT_OF_MEMORY, .answering = true }),
                         HTTP_TOO_LARGE);
        assert_int_equal(http_problem(&(HttpOutcome){ .code = CURLE_OUT_OF_MEMORY }), HTTP_INTERNAL);
}

static void assert_text(int code, const char *text, const char *expected) {
        _cleanup_free_ char *got = NULL;

        assert_int_equal(http_problem_text(&(HttpOutcome){ .code = code, .text = text }, &got), 0);
        assert_string_equal(got, expected);
}

static void words_are_clean_and_without_paths_of_our_own(void **state) {
        assert_text(CURLE_PEER_FAILED_VERIFICATION,
                    "server certificate verification failed. CAfile: /proc/self/fd/7 CRLfile: none",
                    "server certificate verification failed");
        assert_text(CURLE_COULDNT_CONNECT, "Failed\n to\033[1m connect", "Failed to [1m connect");
        assert_text(CURLE_COULDNT_RESOLVE_HOST, "", curl_easy_strerror(CURLE_COULDNT_RESOLVE_HOST));
        assert_text(CURLE_COULDNT_RESOLVE_HOST, NULL, curl_easy_strerror(CURLE_COULDNT_RESOLVE_HOST));
}

static void dates_of_certificates_are_compared_with_now(void **state) {
        assert_true(http_certificate_date_is_off("Start Date:2026-11-24 00:00:01 GMT", NOVEMBER));
        assert_true(http_certificate_date_is_off("Expire Date:2026-11-23 23:59:58 GMT", NOVEMBER));
        assert_false(http_certificate_date_is_off("Start date:2026-11-23 21:00:57 GMT", NOVEMBER));
        assert_true(http_certificate_date_is_off("Start date:2026-11-24 00:00:01 GMT", NOVEMBER));
        assert_false(http_certificate_date_is_off("Expire date:2026-11-24 00:00:01 GMT", NOVEMBER));
        assert_true(http_certificate_date_is_off("Expire date:2026-11-23 23:59:58 GMT", NOVEMBER));
        assert_true(http_certificate_date_is_off("Expire date: Nov 23 21:00:57 2026 GMT", NOVEMBER));
        assert_false(http_certificate_date_is_off("Start date:Nov  3 21:00:57 2026 GMT", NOVEMBER));
}

static void lines_that_are_no_dates_prove_nothing(void **state) {
        static const char *const lines[] = {
                "",
                "Start date:",
                "Start date:soon",
                "Subject:CN=Start date:2030-01-01 00:00:00",
                "Expire date:1",
                "Cert:-----BEGIN CERTIFICATE-----",
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                assert_false(http_certificate_date_is_off(lines[i], NOVEMBER));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes_that_say_it_all),
                cmocka_unit_test(every_code_of_libcurl_is_some_problem),
                cmocka_unit_test(certificates_of_another_name),
                cmocka_unit_test(certificates_whose_time_is_not_now),
                cmocka_unit_test(gnutls_tells_by_the_dates_in_the_certificates),
                cmocka_unit_test(certificates_that_nobody_vouches_for),
                cmocka_unit_test(a_handshake_that_is_cut_off_is_no_matter_of_trust),
                cmocka_unit_test(a_handshake_that_fails_over_a_signature_is),
                cmocka_unit_test(a_connection_that_ends_within_an_answer_is_broken),
                cmocka_unit_test(headers_that_do_not_end_are_broken),
                cmocka_unit_test(a_proxy_that_says_no_is_a_connection_that_failed),
                cmocka_unit_test(our_caps_explain_any_code),
                cmocka_unit_test(words_are_clean_and_without_paths_of_our_own),
                cmocka_unit_test(dates_of_certificates_are_compared_with_now),
                cmocka_unit_test(lines_that_are_no_dates_prove_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
