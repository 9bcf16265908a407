/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl reset-failed": failures are forgotten, and with them the pace that they brought.
 *
 * Without names one call for all jobs. Starts no attempt by itself: that is "refresh". */

#include "ctl/each.h"
#include "ctl/verb.h"

void verb_reset_failed(Ctl *ctl, char *const *arguments) {
        const Each each = { .method = METHOD_RESET_FAILED_JOB, .done = "failures forgotten" };

        if (!arguments[0] && !ctl->options.registry)
                (void) ctl_do(ctl, METHOD_RESET_FAILED, NULL);
        else
                each_job(ctl, &each, arguments, NULL);
}
