/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl disable": a job rests, and its files stay.
 *
 * What becomes of the credential that it has is for the daemon, as its files say. */

#include "ctl/each.h"
#include "ctl/verb.h"

void verb_disable(Ctl *ctl, char *const *arguments) {
        const Each each = {
                .method = METHOD_DISABLE_JOB,
                .done = "disabled",
                .flags = option_given(&ctl->options, OPT_RUNTIME) ? JOB_RUNTIME : 0,
        };

        each_job(ctl, &each, arguments, NULL);
}
