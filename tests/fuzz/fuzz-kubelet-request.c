/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What kubelet asks: a request has an image, a refusal has a sentence, and never both. */

#include "fuzz.h"

#include "kubelet/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(kubelet_request_done) KubeletRequest q = {};
        _cleanup_secret_ Secret *input = NULL;
        const char *wrong = NULL;
        int r;

        fuzz_assert(secret_new(data, size, &input) == 0);
        r = kubelet_request_read(input, &q, &wrong);
        fuzz_assert(r == 0 || r == -EBADMSG);
        fuzz_assert((r == 0) == !!q.image && (r < 0) == !!wrong);
        if (r < 0) {
                fuzz_assert_clean(wrong);
                fuzz_assert(!q.token && !q.robot);
                return 0;
        }
        fuzz_assert(!isempty(q.image) && text_is_utf8(q.image, strlen(q.image)));
        fuzz_assert(!q.token || (secret_size(q.token) > 0 && secret_is_string(q.token)));
        fuzz_assert(!q.robot || !isempty(q.robot));
        return 0;
}
