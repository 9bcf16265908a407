/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The waiting is the daemon's (WaitJobs); here it is asked again when its longest wait is shorter than ours,
 * and what it answers is shown.
 *
 * An answer that comes before its time is final: each job is ready, or cannot be without a change. */

#include <errno.h>

#include "base/text.h"
#include "ctl/ready.h"
#include "model/job-state.h"

/* What the daemon takes at most. */
#define SLICE (10 * USEC_PER_MINUTE)

static void show(Ctl *ctl, const AwaitedJobs *l) {
        char *text = NULL;
        int r;

        r = ctl->options.json == JSON_OFF ? render_awaited(l, &ctl->style, &text)
                                          : render_json_rows(l, &awaited_type, ctl->options.json, &text);
        ctl_print(ctl, r, text);
        for (size_t i = 0; i < l->n_items; i++)
                if (job_state_from_string(l->items[i].state) != JOB_FRESH)
                        ctl_note(ctl, STATUS_ATTENTION);
}

int ready_wait(Ctl *ctl, char *const *names) {
        usec_t end = usec_add(now_boot(), ctl->options.timeout);

        for (;;) {
                usec_t started = now_boot(), left = usec_sub(end, started);
                const ClientArguments arguments = { .names = names, .number = left < SLICE ? left : SLICE };
                _cleanup_(answer_done) Answer a = {};

                if (ctl_call(ctl, METHOD_WAIT_JOBS, &arguments, &a) < 0)
                        return -1;
                if (usec_sub(now_boot(), started) < arguments.number || left <= SLICE) {
                        show(ctl, &a.awaited);
                        return 0;
                }
        }
}
