/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* References of images: what comes out is a host and a path, is its own repository, and stays the same
 * with a tag and a digest behind it. */

#include "fuzz.h"

#include "model/image-reference.h"
#include "model/name.h"

#define SUFFIX ":tag@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *image = strndup((const char *) data, size), *repository = NULL, *again = NULL,
                            *host = NULL, *longer = NULL, *same = NULL;
        const char *slash;
        int r;

        fuzz_assert(image);
        r = image_repository(image, &repository);
        fuzz_assert(r == 0 || r == -EINVAL);
        fuzz_assert((r == 0) == !!repository);
        if (r < 0)
                return 0;
        slash = strchr(repository, '/');
        fuzz_assert(slash);
        host = strndup(repository, (size_t) (slash - repository));
        fuzz_assert(registry_is_valid(host));
        fuzz_assert(image_repository(repository, &again) == 0 && streq(again, repository));
        fuzz_assert(scope_covers(host, repository) && scope_covers(repository, repository));
        fuzz_assert(text_format(&longer, "%s" SUFFIX, repository) == 0);
        if (strlen(longer) <= IMAGE_REFERENCE_MAX)
                fuzz_assert(image_repository(longer, &same) == 0 && streq(same, repository));
        return 0;
}
