/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl remove": a job and its files go.
 *
 * Takes no patterns: what is gone is gone. A job of the vendor's the daemon refuses to remove. */

#include "ctl/each.h"
#include "ctl/verb.h"

void verb_remove(Ctl *ctl, char *const *arguments) {
        const Each each = { .method = METHOD_REMOVE_JOB, .done = "removed", .literal = true };

        each_job(ctl, &each, arguments, NULL);
}
