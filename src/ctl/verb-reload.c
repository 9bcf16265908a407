/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl reload": the daemon reads its files again, and we show what it says about them.
 *
 * Reads no configuration itself: only the daemon's view of it counts. */

#include "ctl/verb.h"

void verb_reload(Ctl *ctl, char *const *arguments) {
        _cleanup_(answer_done) Answer a = {};
        char *text = NULL;
        int r;

        if (ctl_call(ctl, METHOD_RELOAD, NULL, &a) < 0)
                return;
        r = ctl->options.json == JSON_OFF
                    ? render_messages(&a.messages, &ctl->style, &text)
                    : render_json_rows(&a.messages, &shown_message_type, ctl->options.json, &text);
        ctl_print(ctl, r, text);
        if (shown_messages_have_error(&a.messages))
                ctl_note(ctl, STATUS_ATTENTION);
}
