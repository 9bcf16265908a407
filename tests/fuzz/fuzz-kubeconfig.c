/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes in the place of a kubeconfig: what is taken is whole, and what is said can be shown. */

#include "fuzz.h"

#include "worker/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(kubeconfig_done) Kubeconfig k = {};
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_failure_ Failure *f = NULL;
        int r;

        fuzz_assert(secret_new(data, size, &text) == 0);
        r = kubeconfig_read(text, NULL, &k, &f);
        fuzz_assert(r == (f ? 1 : 0) && !f == !!k.server);
        if (!f) {
                fuzz_assert(startswith(k.server, "https://") && text_is_token(k.server));
                fuzz_assert(k.token || (k.certificate && k.key));
                return 0;
        }
        fuzz_assert(f->step == STEP_IDENTITY);
        fuzz_assert_clean(f->message);
        fuzz_assert_clean(failure_hint(f));
        return 0;
}
