/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What handles are told: who is trusted, and which requests are none. */

#include <curl/curl.h>

#include "io/http-setup.h"
#include "io/http.h"
#include "unit.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

static int setup_handle(void **state) {
        *state = curl_easy_init();
        return *state ? 0 : -1;
}

static int teardown_handle(void **state) {
        curl_easy_cleanup(*state);
        return 0;
}

static int init(const char *proxy) {
        HttpAnchors a;
        int r = http_anchors_init(&a, &(HttpTrust){ PEM, strlen(PEM), proxy });

        http_anchors_done(&a);
        return r;
}

static void proxies_speak_http_or_https(void **state) {
        assert_int_equal(init(NULL), 0);
        assert_int_equal(init("http://proxy:3128"), 0);
        assert_int_equal(init("https://user:pass@proxy"), 0);
        assert_int_equal(init("socks5://proxy"), -EINVAL);
        assert_int_equal(init("proxy:3128"), -EINVAL);
        assert_int_equal(init(""), -EINVAL);
}

static int init_way(HttpWay way, const char *socket, const char *proxy) {
        HttpAnchors a;
        int r = http_anchors_init(&a, &(HttpTrust){ .proxy = proxy, .way = way, .socket = socket });

        http_anchors_done(&a);
        return r;
}

static void a_socket_belongs_to_one_way_and_a_proxy_to_another(void **state) {
        char path[HTTP_SOCKET_MAX + 2] = "/";

        for (size_t i = 1; i < sizeof(path) - 1; i++)
                path[i] = 'x';
        assert_int_equal(init_way(HTTP_WAY_GRPC, path, NULL), -EINVAL);
        path[HTTP_SOCKET_MAX] = '\0';
        assert_int_equal(init_way(HTTP_WAY_GRPC, path, NULL), 0);
        assert_int_equal(init_way(HTTP_WAY_GRPC, "run/s", NULL), -EINVAL);
        assert_int_equal(init_way(HTTP_WAY_GRPC, NULL, NULL), -EINVAL);
        assert_int_equal(init_way(HTTP_WAY_PLAIN, NULL, NULL), 0);
        assert_int_equal(init_way(HTTP_WAY_PLAIN, "/run/s", NULL), -EINVAL);
        assert_int_equal(init_way(HTTP_WAY_TLS, "/run/s", NULL), -EINVAL);
        assert_int_equal(init_way(HTTP_WAY_PLAIN, NULL, "http://proxy:3128"), -EINVAL);
        assert_int_equal(init_way(HTTP_WAY_GRPC, "/run/s", "http://proxy:3128"), -EINVAL);
}

static void every_libcurl_knows_all_ways(void **state) {
        for (HttpWay way = 0; way < _HTTP_WAY_MAX; way++) {
                HttpAnchors a;

                assert_int_equal(http_anchors_init(&a,
                                                   &(HttpTrust){
                                                           .way = way,
                                                           .socket = way == HTTP_WAY_GRPC ? "/run/s" : NULL,
                                                   }),
                                 0);
                assert_int_equal(http_setup_trust(*state, &a), 0);
                http_anchors_done(&a);
        }
}

static void every_libcurl_takes_the_policy(void **state) {
        assert_int_equal(http_setup_policy(*state), 0);
}

static void given_certificates_are_a_copy_that_cannot_be_changed(void **state) {
        char given[] = PEM, seen[sizeof(PEM)] = {};
        HttpAnchors a;

        assert_int_equal(http_anchors_init(&a, &(HttpTrust){ given, strlen(given), NULL }), 0);
        explicit_bzero(given, sizeof(given));
        assert_int_equal(http_setup_trust(*state, &a), 0);
        assert_string_equal(a.ca, PEM);
        /* With a libcurl that takes bytes there is no file. */
        if (a.ca_fd >= 0) {
                int fd = a.ca_fd;

                assert_int_equal(pread(fd, seen, sizeof(seen), 0), strlen(PEM));
                assert_string_equal(seen, PEM);
                assert_int_equal(pwrite(fd, "x", 1, 0), -1);
                assert_int_equal(ftruncate(fd, 0), -1);
                assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
                assert_int_equal(http_setup_trust(*state, &a), 0);
                assert_int_equal(a.ca_fd, fd);
        }
        http_anchors_done(&a);
        assert_int_equal(a.ca_fd, -EBADF);
}

static void the_host_s_store_needs_no_file_of_ours(void **state) {
        HttpAnchors a;

        assert_int_equal(http_anchors_init(&a, &(HttpTrust){}), 0);
        assert_int_equal(http_setup_trust(*state, &a), 0);
        assert_true(a.ca_fd < 0);
        http_anchors_done(&a);
}

static int request(void **state, HttpRequest q) {
        _cleanup_(http_loans_done) HttpLoans loans = {};

        q.method = q.method ?: "GET";
        q.url = q.url ?: "https://quay.example.com/";
        return http_setup_request(*state, HTTP_WAY_TLS, &q, &loans);
}

static void good_requests(void **state) {
        _cleanup_secret_ Secret *secret = NULL;

        assert_int_equal(secret_new_string("s", &secret), 0);
        assert_int_equal(request(state, (HttpRequest){}), 0);
        assert_int_equal(request(state, (HttpRequest){ .method = "POST", .body = "x", .body_size = 1 }), 0);
        assert_int_equal(request(state, (HttpRequest){ .method = "PUT", .body = "x", .body_size = 1 }), 0);
        assert_int_equal(request(state, (HttpRequest){ .method = "PATCH", .body = "x", .body_size = 1 }), 0);
        assert_int_equal(request(state, (HttpRequest){ .method = "DELETE" }), 0);
        assert_int_equal(request(state, (HttpRequest){ .user = "acme+edge", .password = secret }), 0);
        assert_int_equal(request(state, (HttpRequest){ .bearer = secret }), 0);
        assert_int_equal(request(state, (HttpRequest){ .user = "id",
                                                       .password = secret,
                                                       .signature = "aws:amz:eu-central-1:sts" }),
                         0);
        assert_int_equal(request(state, (HttpRequest){ .timeout = USEC_INFINITY, .connect_timeout = 1 }), 0);
        assert_int_equal(request(state, (HttpRequest){ .url = "https://[::1]:8443/v2/" }), 0);
}

static void requests_that_are_none(void **state) {
        _cleanup_secret_ Secret *secret = NULL, *nul = NULL;

        assert_int_equal(secret_new_string("s", &secret), 0);
        assert_int_equal(secret_new("a\0b", 3, &nul), 0);
        assert_int_equal(request(state, (HttpRequest){ .method = "TRACE" }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .user = "u" }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .signature = "aws:amz:r:s" }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .user = "u:v", .password = secret }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .user = "u", .password = nul }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .bearer = nul }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .user = "u", .password = secret, .bearer = secret }),
                         -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .url = "http://quay.example.com/" }), -EINVAL);
        assert_int_equal(request(state, (HttpRequest){ .url = "https://u@quay.example.com/" }), -EINVAL);
}

static void each_way_has_one_scheme(void **state) {
        HttpRequest secure = { .method = "GET", .url = "https://a/" },
                    plain = { .method = "GET", .url = "http://a/" };
        HttpLoans loans;

        for (HttpWay way = 0; way < _HTTP_WAY_MAX; way++) {
                HttpRequest *right = way == HTTP_WAY_TLS ? &secure : &plain;

                assert_int_equal(http_setup_request(*state, way, right == &plain ? &secure : &plain, &loans),
                                 -EINVAL);
                assert_int_equal(http_setup_request(*state, way, right, &loans), 0);
                http_loans_done(&loans);
        }
}

static void what_the_host_shows_of_itself_is_a_sealed_copy(void **state) {
        _cleanup_secret_ Secret *certificate = NULL, *key = NULL;
        char seen[sizeof(PEM)] = {};
        HttpAnchors a;

        assert_int_equal(secret_new_string(PEM, &certificate), 0);
        assert_int_equal(secret_new_string("key", &key), 0);
        assert_int_equal(http_anchors_init(&a, &(HttpTrust){ .certificate = certificate, .key = key }), 0);
        assert_int_equal(http_setup_trust(*state, &a), 0);
        assert_int_equal(pread(a.certificate_fd, seen, sizeof(seen), 0), strlen(PEM));
        assert_string_equal(seen, PEM);
        assert_int_equal(pwrite(a.key_fd, "x", 1, 0), -1);
        assert_true(fcntl(a.key_fd, F_GETFD) & FD_CLOEXEC);
        http_anchors_done(&a);
        assert_int_equal(a.key_fd, -EBADF);
        assert_int_equal(a.certificate_fd, -EBADF);
}

static const char *line_of(const struct curl_slist *list, size_t n) {
        for (; list && n > 0; n--)
                list = list->next;
        return list ? list->data : NULL;
}

static void header_lines_are_single_lines(void **state) {
        char *good[] = { (char *) "A: b", (char *) "C: d", NULL },
             *bad[] = { (char *) "A: b", (char *) "C: d\r\nE: f", NULL };
        HttpRequest q = { .method = "GET", .url = "https://quay.example.com/" };
        HttpLoans loans;

        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), 0);
        assert_null(loans.headers);
        http_loans_done(&loans);
        q.headers = good;
        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), 0);
        assert_string_equal(line_of(loans.headers, 1), "C: d");
        assert_null(line_of(loans.headers, 2));
        http_loans_done(&loans);
        q.headers = bad;
        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), -EINVAL);
}

static void who_we_are_is_the_last_header(void **state) {
        _cleanup_secret_ Secret *secret = NULL, *split = NULL;
        HttpRequest q = { .method = "GET", .url = "https://quay.example.com/" };
        HttpLoans loans;

        assert_int_equal(secret_new_string("s3cr3t", &secret), 0);
        assert_int_equal(secret_new_string("a\r\nHost: b", &split), 0);
        q.user = "acme+edge";
        q.password = secret;
        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), 0);
        assert_string_equal(line_of(loans.headers, 0), "Authorization: Basic YWNtZStlZGdlOnMzY3IzdA==");
        http_loans_done(&loans);
        q.user = NULL;
        q.bearer = secret;
        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), 0);
        assert_string_equal(line_of(loans.headers, 0), "Authorization: Bearer s3cr3t");
        http_loans_done(&loans);
        q.bearer = split;
        assert_int_equal(http_setup_request(*state, HTTP_WAY_TLS, &q, &loans), -EINVAL);
}

#define HANDLE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_handle, teardown_handle)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(proxies_speak_http_or_https),
                cmocka_unit_test(a_socket_belongs_to_one_way_and_a_proxy_to_another),
                HANDLE_TEST(every_libcurl_takes_the_policy),
                HANDLE_TEST(every_libcurl_knows_all_ways),
                HANDLE_TEST(each_way_has_one_scheme),
                HANDLE_TEST(given_certificates_are_a_copy_that_cannot_be_changed),
                HANDLE_TEST(the_host_s_store_needs_no_file_of_ours),
                HANDLE_TEST(good_requests),
                HANDLE_TEST(requests_that_are_none),
                HANDLE_TEST(what_the_host_shows_of_itself_is_a_sealed_copy),
                HANDLE_TEST(header_lines_are_single_lines),
                HANDLE_TEST(who_we_are_is_the_last_header),
        };

        if (http_global_init(HTTP_HEAP_PLAIN) < 0)
                return EXIT_FAILURE;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
