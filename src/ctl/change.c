/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CreateJob and ChangeJob, and what a user wants to know behind them: where it stands, and whether it can
 * work.
 *
 * Writes no file: the daemon does, after it has checked the settings as it checks files. */

#include <errno.h>

#include "base/text.h"
#include "ctl/change.h"
#include "ctl/ready.h"
#include "ctl/settings.h"

/* A job may be right by itself and still not work, for the lack of its identity for example. */
static void show_trouble(Ctl *ctl, const char *name) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        const JobSnapshot *j;
        char *text = NULL;
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        j = snapshot_find(s, name);
        if (!j || !streq(j->step, "configuration"))
                return;
        ctl_note(ctl, STATUS_ATTENTION);
        if (ctl->options.json != JSON_OFF)
                return;
        r = render_outcome(j, &ctl->style, now_real(), &text);
        ctl_print(ctl, r, text);
}

static void show_done(Ctl *ctl, const char *name, const char *done) {
        bool runtime = option_given(&ctl->options, OPT_RUNTIME);
        char *text = NULL;
        int r;

        if (ctl->options.json != JSON_OFF || !ctl->style.legend)
                return;
        r = text_format(&text, "%s: %s%s\n", name, done, runtime ? " until the next boot" : "");
        ctl_print(ctl, r, text);
}

void change_job(Ctl *ctl, ClientMethod method, char *const *arguments, const char *done) {
        _cleanup_(job_settings_done) JobSettings settings = {};
        _cleanup_free_ char *problem = NULL;
        const ClientArguments change = {
                .name = arguments[0],
                .settings = &settings,
                .number = option_given(&ctl->options, OPT_RUNTIME) ? JOB_RUNTIME : 0,
        };
        char *const names[] = { arguments[0], NULL };
        int r;

        r = settings_parse(&settings, arguments + 1, &problem);
        if (r < 0)
                ctl_report_local(ctl, r);
        else if (r > 0) {
                complain("%s", problem);
                ctl_note(ctl, STATUS_USAGE);
        }
        if (r != 0 || ctl_do(ctl, method, &change) < 0)
                return;
        show_done(ctl, arguments[0], done);
        if (option_given(&ctl->options, OPT_WAIT))
                (void) ready_wait(ctl, names);
        else
                show_trouble(ctl, arguments[0]);
}
