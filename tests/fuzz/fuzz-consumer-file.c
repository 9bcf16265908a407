/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files that container tools read: by each rule something is found or not, what is found can be shown, and
 * an entry is no credential without a user or a secret. */

#include "fuzz.h"

#include "model/consumer-file.h"

static void check_found(const Found *f) {
        fuzz_assert(f->kind >= 0 && f->kind < _FOUND_KIND_MAX);
        fuzz_assert(!f->rule == (f->kind == FOUND_NOTHING));
        fuzz_assert(!f->user == (f->kind != FOUND_CREDENTIAL));
        fuzz_assert(!f->helper == (f->kind != FOUND_HELPER));
        fuzz_assert(!f->key == (f->kind == FOUND_NOTHING || f->kind == FOUND_HELPER));
        if (f->key)
                fuzz_assert_clean(f->key);
        if (f->user)
                fuzz_assert_clean(f->user);
        if (f->helper)
                fuzz_assert_clean(f->helper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const images[] = { "q.io/acme/app", "q.io", "docker.io/library/a",
                                              "x.q.io:5000/a" };

        for (int legacy = 0; legacy < 2; legacy++) {
                _cleanup_(consumer_file_freep) ConsumerFile *f = NULL;
                JsonError error = {};
                int r;

                r = consumer_file_new((const char *) data, size, legacy, &f, &error);
                fuzz_assert(r == 0 || (r == -EBADMSG && error.what));
                for (size_t i = 0; r == 0 && i < ELEMENTSOF(images); i++)
                        for (ConsumerMatch match = 0; match < _CONSUMER_MATCH_MAX; match++) {
                                Found found = {};

                                fuzz_assert(consumer_file_find(f, match, images[i], &found) == 0);
                                check_found(&found);
                                found_done(&found);
                        }
        }
        return 0;
}
