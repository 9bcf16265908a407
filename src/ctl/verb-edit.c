/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl edit": a drop-in (or with --full the file itself) in the editor of the user's choice.
 *
 * What comes back is read as the daemon will read it before it takes the place of the file, in one step;
 * what cannot work is not put in place, and not thrown away either. Then the daemon is told. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/edit-file.h"
#include "ctl/edit-text.h"
#include "ctl/offline.h"
#include "ctl/program.h"
#include "ctl/verb.h"

#define DROP_IN_DEFAULT "override.conf"

typedef struct Edit {
        Ctl *ctl;
        const char *root;
        DefinitionName name;
        char **files; /* that there are, in their order */
        bool drop_in;
        char *path;    /* of the file that is edited */
        char *before;  /* what it holds */
        char *first;   /* what the editor begins with */
        EditFile file; /* the temporary one */
} Edit;

static void edit_done(Edit *e) {
        definition_name_done(&e->name);
        strv_free(e->files);
        free(e->path);
        free(e->before);
        free(e->first);
        edit_file_done(&e->file);
}

/* Returns -1 after a complaint; the status is noted. */
static int refuse(Edit *e, ExitStatus status, const char *text) {
        complain("%s", text);
        ctl_note(e->ctl, status);
        return -1;
}

/* The path of what is edited: below /etc, or /run with --runtime. */
static int choose_path(Edit *e) {
        const Options *o = &e->ctl->options;
        const char *place = option_given(o, OPT_RUNTIME) ? "run" : "etc", *drop_in = o->drop_in;
        const char *directory = configuration_kinds[e->name.kind].directory;

        if (!e->drop_in)
                return text_format(&e->path, "%s/%s/pullauth/%s/%s", e->root, place, directory,
                                   e->name.file);
        drop_in = drop_in ?: DROP_IN_DEFAULT;
        return text_format(&e->path, "%s/%s/pullauth/%s/%s.d/%s%s", e->root, place, directory, e->name.file,
                           drop_in, endswith(drop_in, ".conf") ? "" : ".conf");
}

/* A file of the same name in /etc would win over one in /run, and nothing that is written would count. */
static int check_precedence(Edit *e) {
        const char *name = strrchr(e->path, '/'), *below = e->path + strlen(e->root);
        _cleanup_free_ char *text = NULL;

        STRV_FOREACH(f, e->files)
                if (startswith(below, "/run/") && startswith(*f + strlen(e->root), "/etc/") &&
                    streq(strrchr(*f, '/'), name) && (e->drop_in || f == e->files)) {
                        if (text_format(&text, "%s is there and wins, edit that without --runtime", *f) < 0)
                                return -1;
                        return refuse(e, STATUS_FAILED, text);
                }
        return 0;
}

/* Which definition, and which of its files. Returns 0, or -1 after reporting. */
static int begin(Edit *e, const char *text) {
        const Options *o = &e->ctl->options;
        _cleanup_free_ char *message = NULL;
        int r;

        e->root = strempty(o->root);
        if (o->drop_in && (option_given(o, OPT_FULL) || strchr(o->drop_in, '/') || o->drop_in[0] == '.'))
                return refuse(e, STATUS_USAGE,
                              "--drop-in= takes the name of a file, and no --full beside it");
        r = definition_name_parse(&e->name, text);
        if (r == -EINVAL)
                return refuse(e, STATUS_NO_SUCH_JOB, "That is no name that a job or identity can have");
        if (r >= 0)
                r = offline_files(e->root, &e->name, &e->files, NULL);
        if (r < 0) {
                ctl_report_errno(e->ctl, r, "read the configuration");
                return -1;
        }
        if (!e->files && !option_given(o, OPT_FORCE)) {
                if (text_format(&message, "There is no file %s, --force makes it", e->name.file) < 0)
                        return -1;
                return refuse(e, STATUS_NO_SUCH_JOB, message);
        }
        e->drop_in = e->files && !option_given(o, OPT_FULL);
        if (choose_path(e) < 0) {
                ctl_report_errno(e->ctl, -ENOMEM, "edit");
                return -1;
        }
        return check_precedence(e);
}

/* A file as text, "" if there is none. */
static int read_text(const char *path, char **ret) {
        _cleanup_secret_ Secret *content = NULL;
        struct iovec bytes;
        int r;

        r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_FOLLOW, &content, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        bytes = secret_peek(content);
        return text_format(ret, "%.*s", (int) bytes.iov_len, content ? (const char *) bytes.iov_base : "");
}

/* What an editor begins with: the file; or for a new full file what it takes the place of. */
static int choose_first(Edit *e) {
        if (!isempty(e->before) || e->drop_in)
                return text_format(&e->first, "%s", e->before);
        if (e->files)
                return read_text(e->files[0], &e->first);
        return text_format(&e->first, "%s", edit_text_template(configuration_kinds[e->name.kind].suffix));
}

static int make_text(Edit *e, char **ret) {
        size_t n = strv_length(e->files), n_shown = 0;
        _cleanup_free_ EditShown *shown = calloc(n + 1, sizeof(*shown));
        _cleanup_strv_ char **texts = NULL;
        int r;

        if (!shown)
                return -ENOMEM;
        r = choose_first(e);
        for (size_t i = 0; i < n && r >= 0; i++) {
                char *text = NULL;

                if (streq(e->files[i], e->path))
                        continue;
                r = read_text(e->files[i], &text);
                if (r >= 0)
                        r = strv_consume(&texts, text);
                if (r >= 0) {
                        shown[n_shown].path = e->files[i];
                        shown[n_shown].text = texts[n_shown];
                        n_shown++;
                }
        }
        return r < 0 ? r : edit_text_make(e->path, e->first, shown, n_shown, ret);
}

static int run_editor(Edit *e) {
        static const char *const variables[] = { "SYSTEMD_EDITOR", "EDITOR", "VISUAL" };
        static const char *const usual[] = { "editor", "nano", "vim", "vi" };
        const char *chosen = NULL;
        pid_t pid = 0;
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(variables) && isempty(chosen); i++)
                chosen = getenv(variables[i]);
        for (size_t i = 0; i < ELEMENTSOF(usual) && r == -ENOENT; i++) {
                _cleanup_strv_ char **words = NULL;

                r = strv_split_words(isempty(chosen) ? usual[i] : chosen, &words);
                if (r >= 0)
                        r = strv_append(&words, e->file.path);
                if (r >= 0)
                        r = program_start(&(Program){ words, NULL, -EBADF }, &pid);
                if (!isempty(chosen))
                        break;
        }
        if (r >= 0)
                r = program_wait(pid);
        if (r == 0)
                return 0;
        ctl_note(e->ctl, STATUS_FAILED);
        errno = r < 0 ? -r : 0;
        if (r > 0)
                complain("The editor ended with status %d, nothing was changed", r);
        else if (isempty(chosen))
                complain("No editor can be started: %m; set $SYSTEMD_EDITOR or $EDITOR to one");
        else
                complain("The editor '%s' cannot be started: %m", chosen);
        return -1;
}

/* Messages about the file itself. */
typedef struct Own {
        const char *path;
        bool drop_in;
        ShownMessages messages;
} Own;

/* What a drop-in leaves out stands in the file that it belongs to. */
static int add_own_error(const ConfMessage *m, const char *job, void *userdata) {
        Own *own = userdata;

        if (m->severity != CONF_ERROR || !streq(m->file, own->path) || (m->line == 0 && own->drop_in))
                return 0;
        return shown_messages_add(&own->messages, m);
}

/* Errors of the file by itself; what it demands of others may come later. */
static int find_errors(const Edit *e, const OfflineChange *change, ShownMessages *ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        Own own = { .path = e->path, .drop_in = e->drop_in };
        int r;

        r = offline_read(e->root, change, &c);
        if (r >= 0)
                r = configuration_each_message(c, add_own_error, &own);
        *ret = own.messages;
        return r;
}

/* Returns 1 if the text can be put in place, 0 if it is to be edited once more, -1 after reporting. */
static int check(Edit *e, const char *text) {
        const OfflineChange change = {
                .name = &e->name, .path = e->path, .data = text, .size = strlen(text), .drop_in = e->drop_in
        };
        ShownMessages errors = {};
        char *shown = NULL;
        int r;

        r = find_errors(e, &change, &errors);
        if (r < 0)
                ctl_report_errno(e->ctl, r, "check what was written");
        else if (errors.n_items == 0) {
                shown_messages_done(&errors);
                return 1;
        } else {
                r = render_messages(&errors, &e->ctl->style, &shown);
                ctl_print(e->ctl, r, shown);
                if (ask_yes("Edit it once more?") > 0) {
                        shown_messages_done(&errors);
                        return 0;
                }
                ctl_note(e->ctl, STATUS_ATTENTION);
                complain("That cannot work and was not put in place; it is kept in %s", e->file.path);
                e->file.keep = true;
        }
        shown_messages_done(&errors);
        return -1;
}

/* What the editor left, less the explanations. Returns 1, 0 if there is nothing to do, or -1. */
static int take_text(Edit *e, char **ret) {
        _cleanup_free_ char *all = NULL, *before = NULL;
        int r;

        r = read_text(e->file.path, &all);
        if (r >= 0)
                r = edit_text_take(all, ret);
        if (r >= 0)
                r = edit_text_take(e->first, &before);
        if (r < 0) {
                ctl_report_errno(e->ctl, r, "read what was written");
                return -1;
        }
        if (isempty(*ret) || streq(*ret, before)) {
                complain(isempty(*ret) ? "Nothing was written, nothing is changed" : "Nothing is changed");
                return 0;
        }
        return 1;
}

static int add_own_message(const ConfMessage *m, const char *job, void *userdata) {
        Own *own = userdata;

        return streq(m->file, own->path) ? shown_messages_add(&own->messages, m) : 0;
}

/* What can be said of the file without the daemon. */
static int look_again(const Edit *e, ShownMessages *ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        Own own = { .path = e->path };
        int r;

        r = offline_load(e->root, NULL, &c);
        if (r >= 0)
                r = configuration_each_message(c, add_own_message, &own);
        *ret = own.messages;
        return r;
}

/* The daemon reads its files again and says what it thinks of them. One that does not run reads them when it
 * starts, and one of another tree never. */
static void reload(Edit *e) {
        _cleanup_(answer_done) Answer a = {};
        char *text = NULL;
        int r = 0;

        if (isempty(e->root))
                r = ctl_call_if_running(e->ctl, METHOD_RELOAD, NULL, &a);
        if (r < 0)
                return;
        if (r == 0)
                r = look_again(e, &a.messages);
        if (r >= 0)
                r = render_messages(&a.messages, &e->ctl->style, &text);
        ctl_print(e->ctl, r, text);
        if (shown_messages_have_error(&a.messages))
                ctl_note(e->ctl, STATUS_ATTENTION);
}

static void put_in_place(Edit *e, const char *text) {
        int r;

        r = edit_file_replace(&e->file, text);
        if (r == -EAGAIN) {
                e->file.keep = true;
                ctl_note(e->ctl, STATUS_FAILED);
                complain("Somebody else changed %s meanwhile; what you wrote is kept in %s", e->path,
                         e->file.path);
        } else if (r < 0) {
                e->file.keep = true;
                ctl_report_errno(e->ctl, r, "put the file in place");
                complain("What you wrote is kept in %s", e->file.path);
        } else
                reload(e);
}

void verb_edit(Ctl *ctl, char *const *arguments) {
        _cleanup_(edit_done) Edit e = { .ctl = ctl, .file = EDIT_FILE_NONE };
        _cleanup_free_ char *text = NULL;
        int r;

        if (begin(&e, arguments[0]) < 0)
                return;
        r = read_text(e.path, &e.before);
        if (r >= 0)
                r = make_text(&e, &text);
        if (r >= 0)
                r = edit_file_make(&e.file, e.path, text);
        if (r < 0) {
                ctl_report_errno(ctl, r, "edit");
                if (r == -EACCES || r == -EPERM || r == -EROFS)
                        fprintf(stderr, "%s can be changed by root alone\n", e.path);
                return;
        }
        do {
                _cleanup_free_ char *written = NULL;

                if (run_editor(&e) < 0 || take_text(&e, &written) <= 0)
                        return;
                r = check(&e, written);
                if (r > 0)
                        put_in_place(&e, written);
        } while (r == 0);
}
