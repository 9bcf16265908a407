/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl metrics": counters and states in the OpenMetrics text format, as the daemon has them.
 *
 * Adds and leaves out nothing. */

#include "base/text.h"
#include "ctl/verb.h"

void verb_metrics(Ctl *ctl, char *const *arguments) {
        _cleanup_(answer_done) Answer a = {};

        if (ctl_call(ctl, METHOD_GET_METRICS, NULL, &a) >= 0)
                ctl_print(ctl, 0, TAKE_PTR(a.text));
}
