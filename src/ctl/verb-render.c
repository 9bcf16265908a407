/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl render": a target as it would be written now, with every secret masked.
 *
 * The daemon masks; nothing that this tool gets could be used as a credential. */

#include "base/text.h"
#include "ctl/verb.h"

void verb_render(Ctl *ctl, char *const *arguments) {
        const ClientArguments target = { .name = arguments[0] };
        _cleanup_(answer_done) Answer a = {};
        char *text = NULL;
        int r;

        if (ctl_call(ctl, METHOD_RENDER_TARGET, &target, &a) < 0)
                return;
        r = text_format(&text, "%s%s", a.text, endswith(a.text, "\n") ? "" : "\n");
        ctl_print(ctl, r, text);
}
