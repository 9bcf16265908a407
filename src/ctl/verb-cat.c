/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl cat": the files that make a job or identity what it is, in the order in which they count.
 *
 * Reads the files themselves, so it works without the daemon and shows what stands there now. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "client/near.h"
#include "ctl/offline.h"
#include "ctl/page.h"
#include "ctl/verb.h"

static void complain_no_such(Ctl *ctl, const DefinitionName *name) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        int r;

        ctl_note(ctl, STATUS_NO_SUCH_JOB);
        r = offline_names(strempty(ctl->options.root), name->kind, &names);
        if (r >= 0)
                r = near_names(name->name, names, 1, &near);
        if (r >= 0 && strv_length(near) > 0)
                complain("There is no file %s, did you mean '%s%s'?", name->file, near[0],
                         configuration_kinds[name->kind].suffix);
        else
                complain("There is no file %s, 'pullauthctl list' shows all jobs", name->file);
}

static void write_file(Ctl *ctl, Page *p, const char *path) {
        _cleanup_secret_ Secret *content = NULL;
        _cleanup_free_ char *text = NULL;
        struct iovec bytes;
        int r;

        r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_ALLOW_NUL, &content, NULL);
        bytes = secret_peek(content);
        if (r >= 0)
                r = text_clean_lines(bytes.iov_base, bytes.iov_len, &text);
        if (r < 0) {
                ctl_note(ctl, STATUS_FAILED);
                errno = -r;
                complain("'%s' cannot be read: %m", path);
                return;
        }
        if (ftell(p->stream) > 0)
                page_write(p, TONE_PLAIN, "\n");
        page_write(p, TONE_FAINT, "# %s\n", path);
        page_write(p, TONE_PLAIN, "%s%s", text, isempty(text) || endswith(text, "\n") ? "" : "\n");
}

static int write_definition(Ctl *ctl, Page *p, const char *text) {
        _cleanup_(definition_name_done) DefinitionName name = {};
        _cleanup_strv_ char **files = NULL;
        int r;

        r = definition_name_parse(&name, text);
        if (r == -EINVAL) {
                complain("That is no name that a job or identity can have");
                ctl_note(ctl, STATUS_NO_SUCH_JOB);
                return 0;
        }
        if (r >= 0)
                r = offline_files(strempty(ctl->options.root), &name, &files, NULL);
        if (r >= 0 && !files)
                complain_no_such(ctl, &name);
        for (size_t i = 0; r >= 0 && files && files[i]; i++) {
                write_file(ctl, p, files[i]);
        }
        return r;
}

void verb_cat(Ctl *ctl, char *const *arguments) {
        _cleanup_(page_done) Page p = {};
        char *text = NULL;
        int r;

        r = page_open(&p, &ctl->style);
        STRV_FOREACH(name, arguments)
                if (r >= 0)
                        r = write_definition(ctl, &p, *name);
        if (r >= 0)
                r = page_take(&p, &text);
        ctl_print(ctl, r, text);
}
