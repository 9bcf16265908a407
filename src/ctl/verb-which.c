/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl which" and "targets": what the tools of this host take, image by image and file by file.
 *
 * Reads the files itself, with the rights of whoever asks, and works without pullauthd, which only knows
 * which of the credentials are its own. Changes nothing and shows no secret. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/near.h"
#include "ctl/use.h"
#include "ctl/verb.h"
#include "model/image-reference.h"

/* Complains about a name that no tool has. */
static bool is_known(Ctl *ctl, const char *name) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        _cleanup_free_ char *shown = NULL;
        const Consumer *consumers;
        size_t n;
        int r = 0;

        consumers = consumer_all(&n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (consumer_is_called(consumers + i, name))
                        return true;
                r = strv_append(&names, consumers[i].name);
        }
        ctl_note(ctl, STATUS_USAGE);
        if (r >= 0)
                r = text_clean(name, strlen(name), 64, &shown);
        if (r >= 0)
                r = near_names(name, names, 1, &near);
        if (r < 0)
                ctl_report_local(ctl, r);
        else if (near && near[0])
                complain("There is no tool '%s', did you mean '%s'?", shown, near[0]);
        else
                complain("There is no tool '%s', 'pullauthctl targets --all' shows those that are known",
                         shown);
        return false;
}

/* The tools that are meant, and the jobs if somebody knows them. */
static int look(Ctl *ctl, char *const *names, Tools *ret_tools, Snapshot **ret_snapshot) {
        const ToolWish wish = {
                .root = strempty(ctl->options.root),
                .user = ctl->options.user,
                .names = names,
                .all = option_given(&ctl->options, OPT_ALL),
        };
        int r;

        STRV_FOREACH(i, names)
                if (!is_known(ctl, *i))
                        return -1;
        if (ctl_get_all_if_running(ctl, ret_snapshot) < 0)
                return -1;
        r = tools_find(&wish, ret_tools);
        if (r >= 0) {
                /* What a tool does that reads such a file is not what is shown. */
                STRV_FOREACH(i, ret_tools->notes) {
                        complain("%s, ignoring", *i);
                        ctl_note(ctl, STATUS_ATTENTION);
                }
                return 0;
        }
        if (r == -ESRCH) {
                ctl_note(ctl, STATUS_USAGE);
                complain("There is no user of the name that --user= gives");
        } else if (r == -ENOMEM)
                ctl_report_local(ctl, r);
        else
                ctl_report_errno(ctl, r, "read the directory of --root=");
        return -1;
}

static bool is_well(const ShownTool *t) {
        for (size_t i = 0; i < t->jobs.n_items; i++)
                if (!use_is_well(t->jobs.items + i))
                        return false;
        for (size_t i = 0; i < t->files.n_items; i++)
                if (streq(t->files.items[i].state, "broken"))
                        return false;
        return true;
}

void verb_targets(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_(tools_done) Tools tools = {};
        _cleanup_(shown_tools_done) ShownTools shown = {};
        char *text = NULL;
        int r;

        if (look(ctl, arguments, &tools, &s) < 0)
                return;
        r = shown_tools_find(&tools, s, now_real(), &shown);
        if (r >= 0)
                r = ctl->options.json == JSON_OFF
                            ? render_targets(&shown, s != NULL, &ctl->style, &text)
                            : render_json_rows(&shown, &shown_tool_type, ctl->options.json, &text);
        ctl_print(ctl, r, text);
        for (size_t i = 0; i < shown.n_items; i++)
                if (!is_well(shown.items + i))
                        ctl_note(ctl, STATUS_ATTENTION);
}

void verb_which(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_(tools_done) Tools tools = {};
        _cleanup_(uses_done) ShownUses uses = {};
        _cleanup_free_ char *repository = NULL;
        char *text = NULL;
        int r;

        r = image_repository(arguments[0], &repository);
        if (r == -EINVAL) {
                complain("That is no reference of an image, write HOST/PATH or HOST/PATH:TAG");
                ctl_note(ctl, STATUS_USAGE);
                return;
        }
        if (r < 0) {
                ctl_report_local(ctl, r);
                return;
        }
        if (look(ctl, arguments + 1, &tools, &s) < 0)
                return;
        r = uses_find(&tools, repository, s, now_real(), &uses);
        if (r >= 0)
                r = ctl->options.json == JSON_OFF
                            ? render_which(&uses, repository, s != NULL, &ctl->style, &text)
                            : render_json_rows(&uses, &shown_use_type, ctl->options.json, &text);
        ctl_print(ctl, r, text);
        for (size_t i = 0; i < uses.n_items; i++)
                if (!use_is_well(uses.items + i))
                        ctl_note(ctl, STATUS_ATTENTION);
}
