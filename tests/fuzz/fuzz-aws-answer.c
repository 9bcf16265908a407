/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What AWS answers: whatever is taken out of it stands in it, and fits where it goes. */

#include "fuzz.h"

#include "worker/aws-answer.h"

static void check_part(const Secret *body, const Secret *part) {
        struct iovec all = secret_peek(body), p = secret_peek(part);

        fuzz_assert(p.iov_len > 0 && memmem(all.iov_base, all.iov_len, p.iov_base, p.iov_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *body = NULL, *word = NULL, *region = NULL, *token = NULL;
        _cleanup_(aws_keys_done) AwsKeys keys = {};
        _cleanup_failure_ Failure *f = NULL;

        fuzz_assert(secret_new(data, size, &body) == 0);
        if (aws_read_word(body, 64, &word) == 0) {
                check_part(body, word);
                fuzz_assert(text_is_token(secret_peek(word).iov_base) && secret_size(word) <= 64);
        }
        if (aws_read_region(body, &region) == 0)
                fuzz_assert(word && secret_equal(word, region));
        if (aws_read_token(body, &token) == 0)
                check_part(body, token);
        if (aws_read_keys(body, &keys) == 0)
                fuzz_assert(text_is_token(secret_peek(keys.session).iov_base) && keys.id && keys.key);
        fuzz_assert(failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_REFUSED, "x") == 0);
        fuzz_assert(aws_explain_refusal(body, &keys, f) == 0);
        fuzz_assert_clean(failure_hint(f));
        if (f->words)
                fuzz_assert_clean(f->words);
        return 0;
}
