/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl status": all there is to know about some jobs.
 *
 * Changes nothing and needs no right. Owns what the exit status says of the jobs that were named. */

#include <errno.h>

#include "ctl/life.h"
#include "ctl/select.h"
#include "ctl/verb.h"

void verb_status(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        const ShownMessages *rest;
        usec_t now = now_real();
        char *text = NULL;
        size_t n = 0;
        bool some;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        some = arguments[0] || ctl->options.registry;
        rest = some ? NULL : &s->configuration_messages;
        r = select_jobs(ctl, s, arguments, &jobs, &n);
        /* An empty list is an answer for programs; for people the complaint about the names is the answer,
         * or that there is nothing to show. */
        if (r >= 0 && ctl->options.json != JSON_OFF)
                r = render_json_status(jobs, n, ctl->options.json, now, &text);
        else if (r >= 0 && n == 0 && !some)
                r = render_summary(s, &ctl->style, now, &text);
        else if (r >= 0)
                r = render_status(jobs, n, rest, &ctl->style, now, &text);
        ctl_print(ctl, r, text);
        for (size_t i = 0; i < n; i++)
                if (!job_is_well(jobs[i], now))
                        ctl_note(ctl, STATUS_ATTENTION);
        if (rest && shown_messages_have_error(rest))
                ctl_note(ctl, STATUS_ATTENTION);
}
