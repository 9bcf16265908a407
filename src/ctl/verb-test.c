/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl test": an attempt that changes nothing, step by step.
 *
 * The daemon and its worker do it, with the very code and sandbox of a real attempt; here it is shown. */

#include "base/text.h"
#include "ctl/verb.h"

void verb_test(Ctl *ctl, char *const *arguments) {
        const ClientArguments job = { .name = arguments[0] };
        _cleanup_(answer_done) Answer a = {};
        char *text = NULL;
        int r;

        if (ctl_call(ctl, METHOD_TEST_JOB, &job, &a) < 0)
                return;
        r = ctl->options.json == JSON_OFF ? render_test(&a.steps, &a.failure, &ctl->style, &text)
                                          : render_json_test(&a.steps, &a.failure, ctl->options.json, &text);
        ctl_print(ctl, r, text);
        if (!isempty(a.failure.reason) || !isempty(a.failure.message))
                ctl_note(ctl, STATUS_ATTENTION);
}
