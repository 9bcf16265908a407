/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl reload": the daemon reads its files again, and we show what it says about them.
 *
 * Reads no configuration itself: only the daemon's view of it counts. */

#include "ctl/verb.h"

void verb_reload(Ctl *ctl, char *const *arguments) {
        ShownMessages messages = {};
        char *text = NULL;
        int r;

        if (ctl_reload(ctl, &messages) < 0)
                return;
        r = ctl->json == JSON_OFF ? render_messages(&messages, &ctl->style, &text)
                                  : render_json_messages(&messages, ctl->json, &text);
        ctl_print(ctl, r, text);
        if (shown_messages_have_error(&messages))
                ctl_note(ctl, STATUS_ATTENTION);
        shown_messages_done(&messages);
}
