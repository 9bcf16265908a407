/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loop that enable, disable, remove and reset-failed have in common.
 *
 * Jobs are looked up first, so that a misspelt name is answered with the near one before anything is
 * changed. */

#include <errno.h>

#include "base/text.h"
#include "ctl/each.h"
#include "ctl/select.h"

static void show_done(Ctl *ctl, const char *name, const char *done) {
        char *text = NULL;
        int r;

        if (ctl->options.json != JSON_OFF || !ctl->style.legend)
                return;
        r = text_format(&text, "%s: %s\n", name, done);
        ctl_print(ctl, r, text);
}

/* Returns whether there may be a pattern among the names. */
static bool refuse_patterns(Ctl *ctl, const Each *each, char *const *names) {
        STRV_FOREACH(name, names)
                if (each->literal && select_is_pattern(*name)) {
                        complain("Name each job, no patterns are taken here");
                        ctl_note(ctl, STATUS_USAGE);
                        return true;
                }
        return false;
}

void each_job(Ctl *ctl, const Each *each, char *const *names, char ***ret_names) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        size_t n = 0;
        int r;

        if (refuse_patterns(ctl, each, names) || ctl_get_all(ctl, &s) < 0)
                return;
        r = select_jobs(ctl, s, names, &jobs, &n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                const ClientArguments arguments = { .name = jobs[i]->name, .number = each->flags };

                if (ctl_do(ctl, each->method, &arguments) < 0) {
                        /* Who may not do it to one job is asked for a password once. */
                        if (ctl->status == STATUS_FAILED)
                                return;
                        continue;
                }
                show_done(ctl, jobs[i]->name, each->done);
                if (ret_names)
                        r = strv_append(ret_names, jobs[i]->name);
        }
        if (r < 0)
                ctl_report_local(ctl, r);
}
