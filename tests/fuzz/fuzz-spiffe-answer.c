/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a SPIFFE agent answers: three lines (grpc-status, grpc-message, a choice of what is wished for), then
 * the body. Either there is the token of the one identity that is meant, or a failure that can be shown. */

#include "fuzz.h"

#include "codec/protobuf.h"
#include "worker/spiffe-answer.h"

static char *take_line(const char **data, size_t *size) {
        const char *end = memchr(*data, '\n', *size);
        size_t n = end ? (size_t) (end - *data) : *size;
        char *line = strndup(*data, n);

        fuzz_assert(line);
        n += end ? 1 : 0;
        *data += n;
        *size -= n;
        return line;
}

/* Each field that is found lies within the message, and behind the one before it. */
static void check_fields(const char *data, size_t size) {
        const uint8_t *place = (const uint8_t *) data, *end = place + size;
        ProtobufReader r = { place, size };
        ProtobufField f;

        while (protobuf_next(&r, &f) > 0) {
                fuzz_assert(f.number > 0 && r.data > place && r.data + r.size == end);
                if (f.type == PROTOBUF_BYTES)
                        fuzz_assert(f.data > place && f.data + f.size == r.data);
                place = r.data;
        }
}

static void check(const SpiffeWish *w, const HttpAnswer *a) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_secret_ Secret *token = NULL;
        int r;

        r = spiffe_answer(w, a, &token, &f);
        fuzz_assert(r == (f ? 1 : 0) && !!token == !f);
        if (token) {
                struct iovec all = secret_peek(a->body), part = secret_peek(token);

                fuzz_assert(memmem(all.iov_base, all.iov_len, part.iov_base, part.iov_len));
                return;
        }
        fuzz_assert(f->step == STEP_IDENTITY && f->message[0]);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        if (f->words)
                fuzz_assert_clean(f->words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *p = (const char *) data;
        _cleanup_free_ char *status = take_line(&p, &size), *message = take_line(&p, &size),
                            *wish = take_line(&p, &size);
        _cleanup_secret_ Secret *body = NULL;
        SpiffeWish w = { .socket = "/run/api.sock", .audience = "quay", .timeout = USEC_PER_SEC };
        HttpAnswer a = { .status = 200, .grpc_status = status, .grpc_message = message };

        if (wish[0] == 'i')
                w.spiffe_id = wish + 1;
        else if (wish[0] == 'h')
                w.hint = wish + 1;
        fuzz_assert(secret_new(p, size, &body) == 0);
        a.body = body;
        check_fields(p, size);
        check(&w, &a);
        return 0;
}
