/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for worker/kubeconfig where libyaml was not there when this was built.
 *
 * Owns the sentence that says so, and refuses every file. */

#include "worker/kubeconfig.h"

void kubeconfig_done(Kubeconfig *k) {
        *k = (Kubeconfig){};
}

int kubeconfig_read(const Secret *text, const char *context, Kubeconfig *ret, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_IDENTITY, REASON_IDENTITY_FILE_UNREADABLE,
                        "This worker was built without libyaml, so it cannot read a kubeconfig");
        if (r >= 0)
                r = failure_set_hint(f, "Use Server=, CAFile= and TokenFile= instead");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}
