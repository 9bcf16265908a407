/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl enable": a job that was disabled works again.
 *
 * What stands in which file is the daemon's to decide; with --wait this stays until the credential is there.
 * */

#include "base/text.h"
#include "ctl/each.h"
#include "ctl/ready.h"
#include "ctl/verb.h"

void verb_enable(Ctl *ctl, char *const *arguments) {
        const Each each = {
                .method = METHOD_ENABLE_JOB,
                .done = "enabled",
                .flags = option_given(&ctl->options, OPT_RUNTIME) ? JOB_RUNTIME : 0,
        };
        _cleanup_strv_ char **names = NULL;

        each_job(ctl, &each, arguments, &names);
        if (names && option_given(&ctl->options, OPT_WAIT))
                (void) ready_wait(ctl, names);
}
