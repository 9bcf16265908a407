/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Taking in answers: the right fields, and never a byte more than allowed. */

#include "base/text.h"
#include "draw.h"
#include "io/http-receive.h"
#include "memory-scan.h"

static size_t take_headers(HttpReceive *r, const char *const *lines) {
        size_t taken = 0;

        for (; *lines; lines++) {
                if (http_receive_header(r, *lines, strlen(*lines)) != strlen(*lines))
                        break;
                taken++;
        }
        return taken;
}

#define TAKE(r, ...) take_headers(r, (const char *const[]){ __VA_ARGS__, NULL })

static HttpReceive make(HttpAnswer *a) {
        return (HttpReceive){ .answer = a, .header_max = 1024, .body_max = 100 };
}

static void fields_are_found_whatever_their_case_and_blanks(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        assert_int_equal(TAKE(&r, "HTTP/1.1 200 OK\r\n", "content-TYPE:application/json \r\n",
                              "Retry-After: \t 120\r\n", "Date:  Tue, 24 Nov 2026 00:00:00 GMT\r\n",
                              "Location: https://else\r\n", "WWW-Authenticate: Bearer realm=\"x\"\r\n",
                              "\r\n"),
                         7);
        assert_string_equal(a.content_type, "application/json");
        assert_string_equal(a.retry_after, "120");
        assert_string_equal(a.date, "Tue, 24 Nov 2026 00:00:00 GMT");
        assert_string_equal(a.location, "https://else");
        assert_string_equal(a.www_authenticate, "Bearer realm=\"x\"");
        http_answer_clear(&a);
}

static void the_first_of_several_counts_but_challenges_are_joined(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/2 401\r\n", "Content-Type: a\r\n", "Content-Type: b\r\n", "Date: a\r\n",
             "Date: b\r\n", "Location: a\r\n", "Location: b\r\n", "Retry-After: 1\r\n", "Retry-After: 2\r\n",
             "WWW-Authenticate: Basic realm=a\r\n", "WWW-Authenticate: Bearer realm=b\r\n", "\r\n");
        assert_string_equal(a.content_type, "a");
        assert_string_equal(a.date, "a");
        assert_string_equal(a.location, "a");
        assert_string_equal(a.retry_after, "1");
        assert_string_equal(a.www_authenticate, "Basic realm=a, Bearer realm=b");
        http_answer_clear(&a);
}

static void interim_answers_are_forgotten(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/1.1 103 Early Hints\r\n", "Date: early\r\n", "Age: 5\r\n", "\r\n",
             "HTTP/1.1 200 OK\r\n", "Date: late\r\n", "\r\n");
        assert_int_equal(http_receive_end(&r), 0);
        assert_string_equal(a.date, "late");
        http_answer_clear(&a);
}

static void trailers_are_not_listened_to(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/1.1 200 OK\r\n", "\r\n", "Content-Type: text/evil\r\n");
        assert_null(a.content_type);
        http_answer_clear(&a);
}

static void the_last_word_of_grpc_counts_wherever_it_stands(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/2 200\r\n", "grpc-status: 0\r\n", "\r\n", "grpc-status: 7\r\n",
             "Grpc-Message: no\r\n", "Age: 5\r\n", "Date: evil\r\n");
        assert_int_equal(http_receive_end(&r), 0);
        assert_string_equal(a.grpc_status, "7");
        assert_string_equal(a.grpc_message, "no");
        assert_false(r.aged);
        assert_null(a.date);
        http_answer_clear(&a);
        assert_null(a.grpc_status);
}

static void the_date_of_a_cache_is_no_date(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/1.1 200 OK\r\n", "Date: then\r\n", "Age: 0\r\n", "\r\n");
        assert_int_equal(http_receive_end(&r), 0);
        assert_null(a.date);
        http_answer_clear(&a);
}

static void names_that_only_look_alike_are_others(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        TAKE(&r, "HTTP/1.1 200 OK\r\n", "Late: x\r\n", "Dat: x\r\n", "Dates: x\r\n", "Ago: 5\r\n",
             "Ages: 5\r\n", "X-Date: x\r\n", "Date: then\r\n", "\r\n");
        assert_int_equal(http_receive_end(&r), 0);
        assert_string_equal(a.date, "then");
        http_answer_clear(&a);
}

static void lines_that_are_no_fields_are_harmless(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        assert_int_equal(
                TAKE(&r, "HTTP/1.1 200 OK\r\n", "no colon\r\n", ":\r\n", ": x\r\n", "Date:\r\n", "\r\n"), 6);
        assert_string_equal(a.date, "");
        http_answer_clear(&a);
}

static void headers_end_at_their_cap(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);
        char line[600] = {};

        for (size_t i = 0; i < sizeof(line) - 1; i++)
                line[i] = 'x';
        assert_int_equal(http_receive_header(&r, line, 599), 599);
        assert_int_equal(http_receive_header(&r, line, 425), 425);
        assert_false(r.too_large);
        assert_int_equal(http_receive_header(&r, line, 1), 0);
        assert_true(r.too_large);
        http_answer_clear(&a);
}

static void a_body_comes_out_as_it_came_in_whatever_the_pieces(void **state) {
        Draw d = { 3 };

        for (unsigned i = 0; i < 200; i++) {
                HttpAnswer a = {};
                HttpReceive r = { .answer = &a, .header_max = 1, .body_max = 32768 };
                _cleanup_free_ char *data = malloc(32768);
                size_t size = draw_below(&d, 32769), done = 0;

                assert_non_null(data);
                for (size_t k = 0; k < size; k++)
                        data[k] = (char) draw(&d);
                while (done < size) {
                        size_t n = 1 + draw_any_size(&d) % (size - done);

                        assert_int_equal(http_receive_body(&r, data + done, n), n);
                        done += n;
                }
                assert_int_equal(http_receive_end(&r), 0);
                assert_int_equal(secret_size(a.body), size);
                if (size > 0)
                        assert_memory_equal(secret_peek(a.body).iov_base, data, size);
                http_answer_clear(&a);
        }
}

static void no_body_is_an_empty_one(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);

        assert_int_equal(http_receive_end(&r), 0);
        assert_non_null(a.body);
        assert_int_equal(secret_size(a.body), 0);
        http_answer_clear(&a);
        assert_null(a.body);
}

static void a_body_ends_at_its_cap(void **state) {
        HttpAnswer a = {};
        HttpReceive r = make(&a);
        char data[101] = {};

        assert_int_equal(http_receive_body(&r, data, 101), 0);
        assert_true(r.too_large);
        http_answer_clear(&a);
        r = make(&a);
        assert_int_equal(http_receive_body(&r, data, 100), 100);
        assert_false(r.too_large);
        assert_int_equal(http_receive_body(&r, data, 1), 0);
        assert_true(r.too_large);
        http_answer_clear(&a);
}

static void a_body_that_grew_leaves_no_copies(void **state) {
        HttpAnswer a = {};
        HttpReceive r = { .answer = &a, .header_max = 1, .body_max = 1 << 20 };
        uint8_t piece[PATTERN_SIZE];
        _cleanup_free_ char *filler = calloc(1, 10000);

        pattern_fill(piece, 31);
        assert_int_equal(http_receive_body(&r, (char *) piece, sizeof(piece)), sizeof(piece));
        explicit_bzero(piece, sizeof(piece));
        for (unsigned i = 0; i < 50; i++)
                assert_int_equal(http_receive_body(&r, filler, 10000), 10000);
        assert_int_equal(pattern_count(31), 1);
        http_answer_clear(&a);
        assert_int_equal(pattern_count(31), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_are_found_whatever_their_case_and_blanks),
                cmocka_unit_test(the_first_of_several_counts_but_challenges_are_joined),
                cmocka_unit_test(interim_answers_are_forgotten),
                cmocka_unit_test(trailers_are_not_listened_to),
                cmocka_unit_test(the_last_word_of_grpc_counts_wherever_it_stands),
                cmocka_unit_test(the_date_of_a_cache_is_no_date),
                cmocka_unit_test(names_that_only_look_alike_are_others),
                cmocka_unit_test(lines_that_are_no_fields_are_harmless),
                cmocka_unit_test(headers_end_at_their_cap),
                cmocka_unit_test(a_body_comes_out_as_it_came_in_whatever_the_pieces),
                cmocka_unit_test(no_body_is_an_empty_one),
                cmocka_unit_test(a_body_ends_at_its_cap),
                cmocka_unit_test(a_body_that_grew_leaves_no_copies),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
