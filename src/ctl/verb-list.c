/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl list", and "pullauthctl" alone: one look at everything.
 *
 * Changes nothing and needs no right. Owns what the exit status says of a look at many jobs. */

#include "ctl/life.h"
#include "ctl/select.h"
#include "ctl/verb.h"

/* What the exit status says of a look at all jobs. */
static void note_all(Ctl *ctl, const Snapshot *s, usec_t now) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (!job_is_well(s->jobs[i], now))
                        ctl_note(ctl, STATUS_ATTENTION);
        if (shown_messages_have_error(&s->configuration_messages))
                ctl_note(ctl, STATUS_ATTENTION);
}

static void show_list(Ctl *ctl, const Snapshot *s) {
        usec_t now = now_real();
        char *text = NULL;
        int r;

        r = ctl->options.json == JSON_OFF ? render_list(s, &ctl->style, now, &text)
                                          : render_json_list(s, ctl->options.json, now, &text);
        ctl_print(ctl, r, text);
        note_all(ctl, s, now);
}

void verb_list(Ctl *ctl, char *const *arguments) {
        bool some = arguments[0] || ctl->options.registry;
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        Snapshot shown;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        if (!some) {
                show_list(ctl, s);
                return;
        }
        /* Those alone, and what is wrong in files of no job is not about them. */
        shown = (Snapshot){ .version = s->version, .ready = s->ready };
        r = select_jobs(ctl, s, arguments, &jobs, &shown.n_jobs);
        if (r < 0) {
                ctl_report_local(ctl, r);
                return;
        }
        shown.jobs = (JobSnapshot **) jobs;
        if (shown.n_jobs > 0 || ctl->options.json != JSON_OFF)
                show_list(ctl, &shown);
}

void verb_summary(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        usec_t now = now_real();
        char *text = NULL;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        r = ctl->options.json == JSON_OFF ? render_summary(s, &ctl->style, now, &text)
                                          : render_json_summary(s, ctl->options.json, now, &text);
        ctl_print(ctl, r, text);
        note_all(ctl, s, now);
}
