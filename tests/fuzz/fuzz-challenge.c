/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WWW-Authenticate fields: what is found is whole, and a realm at the registry makes an address there. */

#include "fuzz.h"

#include "worker/challenge.h"

#define REGISTRY "quay.example.com"
#define PREFIX "https://" REGISTRY

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(challenge_done) Challenge c = {};
        _cleanup_free_ char *field = strndup((const char *) data, size), *url = NULL;
        int r;

        fuzz_assert(field);
        r = challenge_parse(field, &c);
        fuzz_assert(r == 0 || r == 1 || r == -ENOENT || r == -EBADMSG);
        fuzz_assert((r == 0) == !!c.realm);
        if (r != 0)
                return 0;
        fuzz_assert(strlen(c.realm) + strlen(strempty(c.service)) <= size);
        fuzz_assert(challenge_url(&c, "repository:ns/repo:pull", &url) == 0);
        fuzz_assert(endswith(url, "scope=repository%3Ans%2Frepo%3Apull"));
        if (challenge_is_at(&c, REGISTRY)) {
                fuzz_assert(strncasecmp(url, PREFIX, strlen(PREFIX)) == 0);
                fuzz_assert(strchr(":/?", url[strlen(PREFIX)]));
        }
        return 0;
}
