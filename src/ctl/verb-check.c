/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl check": configuration files without the daemon, for whoever builds images and packages.
 *
 * Without names the whole tree below --root= is read as the daemon reads it, with all that one file demands
 * of another. A file that is named is read by itself. Changes nothing. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/offline.h"
#include "ctl/verb.h"

typedef struct Check {
        Ctl *ctl;
        ShownMessages messages;
        size_t n_files; /* that were looked at */
} Check;

static void note(Check *c) {
        bool strict = option_given(&c->ctl->options, OPT_STRICT);

        if (shown_messages_have_error(&c->messages) || (strict && c->messages.n_items > 0))
                ctl_note(c->ctl, STATUS_ATTENTION);
}

static size_t count_files(const Configuration *c) {
        size_t n = 0;

        for (size_t i = 0; i < c->targets->n; i++)
                if (c->targets->items[i].conf)
                        n += strv_length(c->targets->items[i].conf->files);
        for (size_t i = 0; i < c->n_identities; i++)
                n += strv_length(c->identities[i].conf->files);
        for (size_t i = 0; i < c->n_jobs; i++)
                n += strv_length(c->jobs[i].conf->files);
        return n;
}

static int check_tree(Check *c) {
        const char *root = strempty(c->ctl->options.root);
        _cleanup_(configuration_freep) Configuration *configuration = NULL;
        struct stat st;
        int r;

        /* A tree that is not there is a mistake; one without files of ours is not. */
        if (stat(isempty(root) ? "/" : root, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        r = offline_load(root, NULL, &configuration);
        if (r < 0)
                return r;
        c->n_files = count_files(configuration);
        return offline_messages(configuration, &c->messages);
}

/* "jobs/edge.job", or a drop-in "edge.job.d/50-x.conf". */
static int name_of_file(const char *path, DefinitionName *ret, bool *ret_drop_in) {
        const char *slash = strrchr(path, '/'), *end, *begin;
        _cleanup_free_ char *directory = NULL;
        const char *file = slash ? slash + 1 : path;

        *ret_drop_in = endswith(file, ".conf") != NULL;
        if (!*ret_drop_in) {
                for (ConfigurationKind k = 0; k < _CONFIGURATION_KIND_MAX; k++)
                        if (endswith(file, configuration_kinds[k].suffix))
                                return definition_name_parse(ret, file);
                return -EINVAL;
        }
        directory = strndup(path, slash ? (size_t) (slash - path) : 0);
        if (!directory)
                return -ENOMEM;
        end = endswith(directory, ".d");
        begin = strrchr(directory, '/');
        begin = begin ? begin + 1 : directory;
        if (!end || end <= begin)
                return -EINVAL;
        directory[end - directory] = '\0';
        for (ConfigurationKind k = 0; k < _CONFIGURATION_KIND_MAX; k++)
                if (endswith(begin, configuration_kinds[k].suffix))
                        return definition_name_parse(ret, begin);
        return -EINVAL;
}

static int add_message(const ConfMessage *m, const char *job, void *userdata) {
        return shown_messages_add(userdata, m);
}

/* What a drop-in leaves out stands in the file that it belongs to. */
static int add_drop_in_message(const ConfMessage *m, const char *job, void *userdata) {
        return m->line > 0 ? shown_messages_add(userdata, m) : 0;
}

static int check_content(Check *c, const char *path, const Secret *content) {
        _cleanup_(configuration_freep) Configuration *configuration = NULL;
        _cleanup_(definition_name_done) DefinitionName name = {};
        struct iovec bytes = secret_peek(content);
        Conf *conf = NULL;
        bool drop_in;
        int r;

        r = name_of_file(path, &name, &drop_in);
        if (r < 0)
                return r;
        r = configuration_new(&configuration);
        if (r >= 0)
                r = conf_new(&conf);
        if (r >= 0)
                r = strv_append(&conf->files, path);
        if (r >= 0)
                r = conf_parse(conf, path, bytes.iov_base, bytes.iov_len);
        if (r < 0) {
                conf_free(conf);
                return r;
        }
        r = configuration_add(configuration, name.kind, name.name, conf);
        if (r < 0)
                return r;
        return configuration_each_message(configuration, drop_in ? add_drop_in_message : add_message,
                                          &c->messages);
}

static void check_file(Check *c, const char *path) {
        _cleanup_secret_ Secret *content = NULL;
        _cleanup_free_ char *shown = NULL;
        int r;

        if (text_clean(path, strlen(path), 1024, &shown) < 0)
                return;
        c->n_files++;
        r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_FOLLOW, &content, NULL);
        if (r >= 0)
                r = check_content(c, path, content);
        if (r >= 0)
                return;
        ctl_note(c->ctl, STATUS_FAILED);
        errno = -r;
        if (r == -EINVAL)
                complain("'%s' is called like no file of pullauthd: NAME.job, NAME.identity, or "
                         "NAME.job.d/NAME.conf",
                         shown);
        else if (r == -EBADMSG)
                complain("'%s' holds NUL bytes, it is no text", shown);
        else
                complain("'%s' cannot be read: %m", shown);
}

void verb_check(Ctl *ctl, char *const *arguments) {
        Check c = { .ctl = ctl };
        char *text = NULL;
        int r = 0;

        if (arguments[0] && option_given(&ctl->options, OPT_ROOT)) {
                complain("--root= is for the whole tree, name either that or files");
                ctl_note(ctl, STATUS_USAGE);
                return;
        }
        if (!arguments[0])
                r = check_tree(&c);
        STRV_FOREACH(path, arguments)
                check_file(&c, *path);
        if (r < 0)
                ctl_report_errno(ctl, r, "read the configuration");
        else {
                r = ctl->options.json == JSON_OFF
                            ? render_findings(&c.messages, c.n_files, &ctl->style, &text)
                            : render_json_rows(&c.messages, &shown_message_type, ctl->options.json, &text);
                ctl_print(ctl, r, text);
                note(&c);
        }
        shown_messages_done(&c.messages);
}
