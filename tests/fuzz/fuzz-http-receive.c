/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Header lines, and behind an empty one a body in small pieces: caps hold, and nothing is lost below
 * them. */

#include "fuzz.h"

#include "io/http-receive.h"

#define HEADER_MAX 512
#define BODY_MAX 1024

static size_t take_headers(HttpReceive *r, const char *data, size_t size) {
        size_t done = 0;

        while (done < size) {
                const char *end = memchr(data + done, '\n', size - done);
                size_t n = end ? (size_t) (end - data) - done + 1 : size - done;

                if (http_receive_header(r, data + done, n) != n) {
                        fuzz_assert(r->too_large);
                        return size;
                }
                done += n;
                if (n <= 2)
                        break;
        }
        fuzz_assert(r->header_size == done && done <= HEADER_MAX);
        return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        HttpAnswer a = {};
        HttpReceive r = { .answer = &a, .header_max = HEADER_MAX, .body_max = BODY_MAX };
        size_t start = take_headers(&r, (const char *) data, size), done = start;

        while (done < size) {
                size_t n = size - done < 7 ? size - done : 7;

                if (http_receive_body(&r, (const char *) data + done, n) != n) {
                        fuzz_assert(r.too_large && done - start + n > BODY_MAX);
                        break;
                }
                done += n;
        }
        if (!r.too_large) {
                fuzz_assert(http_receive_end(&r) == 0);
                fuzz_assert(fuzz_is_equal(a.body, data + start, size - start));
        }
        http_answer_clear(&a);
        return 0;
}
