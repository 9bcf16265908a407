/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sentences about what stands in a target file, and about who can read it.
 *
 * Owns words, and no decision: what is refused is refused by daemon/target. What the file system says of the
 * file is told by daemon/target-file. No sentence holds more of a file than the name of a key. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "daemon/target-failure.h"

int target_fail_malformed(const TargetFile *t, const TargetFound *f, const JsonError *error,
                          Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                        "The %sfile %s is not valid JSON and was left untouched: line %zu, column %zu: %s",
                        f->base_path ? "" : "target ", f->base_path ?: t->path, error->line, error->column,
                        error->what);
        return r < 0 ? r : TARGET_REFUSED;
}

int target_fail_base(const TargetFile *t, const TargetFound *f, int error, Failure **reterr) {
        const char *why = error == -EPERM ? "others than root can write it"
                                          : strerrordesc_np(-error) ?: "unknown error";
        int r;

        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_UNSAFE,
                        "The file %s, which %s would hide, cannot be read: %s", f->base_path, t->path, why);
        if (r >= 0)
                r = failure_set_hint(*reterr, "Let it be a file of root that nobody else can write");
        return r < 0 ? r : TARGET_REFUSED;
}

int target_fail_template(const TargetFile *t, Failure **reterr) {
        int r;

        r = failure_new(
                reterr, STEP_PUBLICATION, REASON_TARGET_CONFLICT,
                "The target file %s was made by somebody else, and a template would replace all of it",
                t->path);
        if (r >= 0)
                r = failure_set_hint(*reterr, "Remove that file, or give the target another Path=");
        return r < 0 ? r : TARGET_REFUSED;
}

int target_fail_own(const TargetFile *t, const char *what, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_PUBLICATION, REASON_TARGET_CONFLICT,
                        "The target file %s has '%s', which is not ours, and Policy=own would remove it",
                        t->path, what);
        if (r >= 0)
                r = failure_set_hint(*reterr,
                                     "Move what others need to a file of their own and remove that file, or "
                                     "let target '%s' have Policy=merge",
                                     t->config->name);
        return r < 0 ? r : TARGET_REFUSED;
}

int target_describe_note(const TargetFile *t, const TargetFound *f, bool adds, char **ret) {
        if (f->passed_by)
                return text_format(
                        ret,
                        "%s is done without, because %s is a symbolic link. A shell of root that has "
                        "XDG_RUNTIME_DIR set finds no credential; let it be a directory, or name the "
                        "first file alone with Path= in %s.target",
                        t->path, f->passed_by, t->config->name);
        /* The mode of a file that was there is its owner's business, and yet. */
        if (adds && f->fd >= 0 && (f->st.st_mode & ~t->config->mode & S_IROTH))
                return text_format(
                        ret,
                        "%s can be read by every user of this host, and so can the credentials in "
                        "it: run 'chmod o= %s'",
                        t->path, t->path);
        return 0;
}
