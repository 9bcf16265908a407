/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a tool asks a credential helper for: whatever is accepted is one word, and stands in the question. */

#include "fuzz.h"

#include "helper/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *input = NULL;
        _cleanup_(server_done) Server s = {};
        int r;

        fuzz_assert(secret_new(data, size, &input) == 0);
        r = server_read(input, &s);
        fuzz_assert(r == 0 || r == -ENODATA || r == -EINVAL);
        if (r < 0) {
                fuzz_assert(!s.given && !s.registry && !s.image);
                return 0;
        }
        fuzz_assert(text_is_token(s.given) && memmem(data, size, s.given, strlen(s.given)));
        fuzz_assert(!isempty(s.registry) && strstr(s.given, s.registry) && !strchr(s.registry, '/'));
        if (s.image) {
                const char *path = startswith(s.image, s.registry);

                fuzz_assert(path && path[0] == '/' && path[1] && path[1] != '/');
                fuzz_assert(!endswith(s.image, "/") && strstr(s.given, path + 1));
        }
        return 0;
}
