/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* base64, both ways: nothing that is taken has a second spelling, nothing is lost. */

#include "fuzz.h"

#include "codec/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct {
                int (*encode)(const void *data, size_t size, Secret **ret);
                int (*decode)(const char *text, size_t size, Secret **ret);
        } kinds[] = { { base64_encode, base64_decode }, { base64url_encode, base64url_decode } };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_secret_ Secret *decoded = NULL, *again = NULL, *text = NULL, *back = NULL;
                struct iovec bytes;
                int r;

                r = kinds[i].decode((const char *) data, size, &decoded);
                fuzz_assert(r == 0 || (r == -EBADMSG && !decoded));
                if (r == 0) {
                        bytes = secret_peek(decoded);
                        fuzz_assert(kinds[i].encode(bytes.iov_base, bytes.iov_len, &again) == 0);
                        fuzz_assert(fuzz_is_equal(again, data, size));
                }
                fuzz_assert(kinds[i].encode(data, size, &text) == 0);
                bytes = secret_peek(text);
                fuzz_assert(kinds[i].encode != base64_encode ||
                            base64_is(bytes.iov_base, bytes.iov_len, data, size));
                fuzz_assert(kinds[i].decode(bytes.iov_base, bytes.iov_len, &back) == 0);
                fuzz_assert(fuzz_is_equal(back, data, size));
        }
        return 0;
}
