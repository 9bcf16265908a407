/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl wait": for scripts and units that need a credential before they go on.
 *
 * Changes nothing and needs no right. Names are looked up first, so that a job that does not exist is told
 * at once; without names the daemon decides which are meant, also those that it has still to read. */

#include <errno.h>

#include "base/text.h"
#include "ctl/ready.h"
#include "ctl/select.h"
#include "ctl/verb.h"

void verb_wait(Ctl *ctl, char *const *arguments) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_strv_ char **names = NULL;
        size_t n = 0;
        int r;

        if (!arguments[0] && !ctl->options.registry) {
                (void) ready_wait(ctl, NULL);
                return;
        }
        if (ctl_get_all(ctl, &s) < 0)
                return;
        r = select_jobs(ctl, s, arguments, &jobs, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = strv_append(&names, jobs[i]->name);
        if (r < 0)
                ctl_report_local(ctl, r);
        else if (n > 0)
                (void) ready_wait(ctl, names);
}
