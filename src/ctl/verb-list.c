/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl list", and "pullauthctl" alone: one look at everything.
 *
 * Changes nothing and needs no right. Owns what the exit status says of a look at all jobs. */

#include "ctl/life.h"
#include "ctl/verb.h"

/* What the exit status says of a look at all jobs. */
static void note_all(Ctl *ctl, const Snapshot *s, usec_t now) {
        for (size_t i = 0; i < s->n_jobs; i++)
                if (!job_is_well(s->jobs[i], now))
                        ctl_note(ctl, STATUS_ATTENTION);
        if (shown_messages_have_error(&s->configuration_messages))
                ctl_note(ctl, STATUS_ATTENTION);
}

void verb_list(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        usec_t now = now_real();
        char *text = NULL;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        r = ctl->json == JSON_OFF ? render_list(s, &ctl->style, now, &text)
                                  : render_json_list(s, ctl->json, now, &text);
        ctl_print(ctl, r, text);
        note_all(ctl, s, now);
}

void verb_summary(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        usec_t now = now_real();
        char *text = NULL;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        r = ctl->json == JSON_OFF ? render_summary(s, &ctl->style, now, &text)
                                  : render_json_summary(s, ctl->json, now, &text);
        ctl_print(ctl, r, text);
        note_all(ctl, s, now);
}
