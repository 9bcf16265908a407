/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an API server of Kubernetes may answer: a line with the status, then the body. Either there is a
 * token that can be sent on, or a failure that can be shown and repeats nothing of what was sent. */

#include "fuzz.h"

#include "worker/token-request.h"

#define ASKER "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpIn0.c2lnbmF0dXJlc2lnbmF0dXJl"

static void check_failure(const Failure *f) {
        fuzz_assert(f->step == STEP_IDENTITY && f->message[0]);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        if (!f->words)
                return;
        fuzz_assert_clean(f->words);
        for (size_t i = 0; i + 12 <= strlen(ASKER); i++)
                fuzz_assert(!memmem(f->words, strlen(f->words), &ASKER[i], 12));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const TokenRequest q = { .server = "https://api",
                                        .namespace = "edge",
                                        .service_account = "puller" };
        const uint8_t *end = memchr(data, '\n', size);
        size_t head = end ? (size_t) (end - data) + 1 : size;
        _cleanup_secret_ Secret *body = NULL, *asker = NULL, *token = NULL;
        _cleanup_failure_ Failure *f = NULL;
        HttpAnswer a = { .status = size > 0 && data[0] == '2' ? 201 : 403 };
        int r;

        fuzz_assert(secret_new(data + head, size - head, &body) == 0 &&
                    secret_new_string(ASKER, &asker) == 0);
        a.body = body;
        r = token_request_read(&q, "api", &a, asker, &token, &f);
        fuzz_assert(r == (f ? 1 : 0) && !f == !!token);
        if (f)
                check_failure(f);
        else
                fuzz_assert(secret_size(token) > 0 && text_is_token(secret_peek(token).iov_base));
        return 0;
}
