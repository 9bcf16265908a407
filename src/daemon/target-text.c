/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what is wanted of a target, and its template if it has one, to the text of its file.
 *
 * Owns where templates are looked for and the sentences about those that cannot be used. Reads them anew
 * each time, so that there is no copy that could be stale. Writes nothing. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "daemon/target-text.h"
#include "model/auth-file.h"
#include "model/target-template.h"

/* The sentence is taken over, or NULL for want of memory. Returns 1 or -ENOMEM. */
static int refuse(char *sentence, const char *hint, Failure **reterr) {
        _cleanup_free_ char *text = sentence;
        int r;

        if (!text)
                return -ENOMEM;
        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_MALFORMED, "%s", text);
        if (r >= 0)
                r = failure_set_hint(*reterr, "%s", hint);
        return r < 0 ? r : 1;
}

static int refuse_reading(const char *template, const char *path, int error, Failure **reterr) {
        char *text = NULL;

        (void) text_format(&text, "The template %s of the target file %s cannot be read: %s", template, path,
                           error == -EPERM ? "it belongs to somebody else than root, or others can write it"
                           : error == -EFBIG ? "it is larger than 64 KiB"
                                             : strerrordesc_np(-error) ?: "unknown error");
        return refuse(text, "Mend that file, or name another one with Template=, and reload pullauthd",
                      reterr);
}

static int refuse_text(const char *template, const char *path, const TemplateError *error,
                       Failure **reterr) {
        char *text = NULL;

        if (isempty(error->what))
                (void) text_format(&text, "The target file %s cannot be made: a credential is none", path);
        else
                (void) text_format(&text,
                                   "The target file %s cannot be made: %s, line %zu, column %zu: %s%s%s",
                                   path, template, error->line, error->column, error->which,
                                   isempty(error->which) ? "" : ": ", error->what);
        return refuse(text, "Mend the template (pullauth.template(5)) and reload pullauthd", reterr);
}

static int read_at(const char *root, const char *directory, const char *name, char **ret_path,
                   Secret **ret) {
        int r;

        free(TAKE_PTR(*ret_path));
        r = text_format(ret_path, "%s%s%s%s", root, directory, isempty(directory) ? "" : "/", name);
        return r < 0 ? r
                     : file_read(AT_FDCWD, *ret_path, TEMPLATE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, ret,
                                 NULL);
}

/* Returns 0, or what file_read() said of the last place; *ret_path in both cases. */
static int read_template(const char *root, const char *template, char **ret_path, Secret **ret) {
        const char *directory;
        int r = -ENOENT;

        if (template[0] == '/')
                return read_at(root, "", template, ret_path, ret);
        for (size_t i = 0; r == -ENOENT && (directory = target_template_directory(i)); i++)
                r = read_at(root, directory, template, ret_path, ret);
        return r;
}

static size_t take_entries(const Wanted *wanted, size_t n_wanted, TargetEntry *entries) {
        size_t n = 0;

        for (size_t i = 0; i < n_wanted; i++)
                if (wanted[i].user_pass && !wanted[i].failure)
                        entries[n++] = (TargetEntry){
                                .key = wanted[i].key,
                                .job = wanted[i].job,
                                .user_pass = wanted[i].user_pass,
                                .issued = wanted[i].issued,
                                .expires = wanted[i].expires,
                        };
        return n;
}

static int make_auth_file(const char *path, const Wanted *wanted, size_t n_wanted, Secret **ret,
                          Failure **reterr) {
        _cleanup_free_ AuthEntry *entries = calloc(n_wanted + 1, sizeof(*entries));
        JsonError error = {};
        size_t n = 0;
        int r;

        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < n_wanted; i++)
                if (wanted[i].user_pass && !wanted[i].failure)
                        entries[n++] = (AuthEntry){ .key = wanted[i].key, .user_pass = wanted[i].user_pass };
        if (n == 0)
                return secret_new_string(TARGET_TEXT_NOTHING, ret);
        r = auth_file_merge(NULL, 0, entries, n, ret, &error);
        if (r != -EFBIG)
                return r < 0 ? r : 0;
        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_FULL,
                        "The target file %s would be larger than 16 MiB", path);
        return r < 0 ? r : 1;
}

static int make_from_template(const char *root, const TargetConfig *config, const char *path,
                              const Wanted *wanted, size_t n_wanted, Secret **ret, Failure **reterr) {
        _cleanup_free_ TargetEntry *entries = NULL;
        _cleanup_(template_freep) Template *t = NULL;
        _cleanup_free_ char *template_path = NULL;
        _cleanup_secret_ Secret *text = NULL;
        TemplateError error = {};
        int r;

        r = read_template(root, config->template, &template_path, &text);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse_reading(template_path ?: config->template, path, r, reterr);
        entries = calloc(n_wanted + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        r = template_parse(secret_peek(text).iov_base, secret_size(text), config->quote, &t, &error);
        if (r >= 0)
                r = target_template_render(t, entries, take_entries(wanted, n_wanted, entries),
                                           config->variables, ret, &error);
        if (r == -ENODATA)
                return 0;
        if (r == -E2BIG) {
                error = (TemplateError){ .line = 1,
                                         .column = 1,
                                         .what = "the file would be larger than 16 MiB" };
                r = -EBADMSG;
        }
        return r == -ENOMEM || r >= 0 ? r : refuse_text(template_path, path, &error, reterr);
}

int target_text_make(const char *root, const TargetConfig *config, const char *path, const Wanted *wanted,
                     size_t n_wanted, Secret **ret, Failure **reterr) {
        return config->template ? make_from_template(root, config, path, wanted, n_wanted, ret, reterr)
                                : make_auth_file(path, wanted, n_wanted, ret, reterr);
}
