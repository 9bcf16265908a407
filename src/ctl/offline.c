/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The same files, read with the same code as the daemon reads them (io/conf-tree, model/configuration).
 *
 * Owns what a user may call a definition, and putting a file that is being edited in the place where it
 * would count. Judges nothing itself. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "ctl/offline.h"
#include "io/conf-tree.h"

#define SHOWN_MAX 4096

void definition_name_done(DefinitionName *n) {
        free(n->name);
        free(n->file);
        *n = (DefinitionName){};
}

int definition_name_parse(DefinitionName *ret, const char *text) {
        _cleanup_(definition_name_done) DefinitionName n = { .kind = CONFIGURATION_JOBS };
        const char *end = text + strlen(text);
        int r;

        for (ConfigurationKind k = 0; k < _CONFIGURATION_KIND_MAX; k++) {
                const char *suffix = endswith(text, configuration_kinds[k].suffix);

                if (suffix && suffix != text) {
                        n.kind = k;
                        end = suffix;
                }
        }
        n.name = strndup(text, (size_t) (end - text));
        if (!n.name)
                return -ENOMEM;
        if (!conf_name_is_valid(n.name))
                return -EINVAL;
        r = text_format(&n.file, "%s%s", n.name, configuration_kinds[n.kind].suffix);
        if (r < 0)
                return r;
        *ret = n;
        n = (DefinitionName){};
        return 0;
}

static const char *file_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static bool is_of(const OfflineChange *change, ConfigurationKind kind, const char *name) {
        return change && change->name->kind == kind && streq(change->name->name, name);
}

/* Whether the change takes the place of a file: drop-ins of one name replace each other. */
static bool replaces(const OfflineChange *change, const char *path, bool drop_in) {
        return change->drop_in == drop_in && (!drop_in || streq(file_name(path), file_name(change->path)));
}

static int put_change(const OfflineChange *change, Conf *to) {
        int r;

        r = strv_append(&to->files, change->path);
        return r < 0 ? r : conf_parse(to, change->path, change->data, change->size);
}

/* The same definition with the change in it. `was` has its main file first. */
static int apply_change(const OfflineChange *change, Conf *was, Conf **ret) {
        _cleanup_conf_ Conf *becomes = NULL;
        bool done = false;
        int r;

        r = conf_new(&becomes);
        for (size_t i = 0; was->files && was->files[i] && r >= 0; i++) {
                const char *path = was->files[i];
                bool drop_in = i > 0;

                if (!done && change->drop_in && drop_in &&
                    strcmp(file_name(change->path), file_name(path)) <= 0) {
                        r = put_change(change, becomes);
                        done = true;
                }
                if (!done && replaces(change, path, drop_in)) {
                        r = put_change(change, becomes);
                        done = true;
                } else if (r >= 0 && !replaces(change, path, drop_in))
                        r = conf_move_file(was, path, becomes);
        }
        if (!done && r >= 0)
                r = put_change(change, becomes);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(becomes);
        return 0;
}

typedef struct Load {
        Configuration *configuration;
        const OfflineChange *change;
        bool applied;
} Load;

static int take(size_t kind, const char *name, Conf *conf, void *userdata) {
        _cleanup_conf_ Conf *owned = conf;
        Conf *changed = NULL;
        Load *l = userdata;
        int r;

        if (owned && is_of(l->change, (ConfigurationKind) kind, name)) {
                l->applied = true;
                r = apply_change(l->change, owned, &changed);
                if (r < 0)
                        return r;
                conf_free(owned);
                owned = changed;
        }
        return configuration_add(l->configuration, (ConfigurationKind) kind, name, TAKE_PTR(owned));
}

/* A definition that is not there yet. */
static int add_new(Load *l) {
        _cleanup_conf_ Conf *conf = NULL;
        int r;

        r = conf_new(&conf);
        if (r >= 0)
                r = put_change(l->change, conf);
        if (r < 0)
                return r;
        return configuration_add(l->configuration, l->change->name->kind, l->change->name->name,
                                 TAKE_PTR(conf));
}

int offline_read(const char *root, const OfflineChange *change, Configuration **ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        Load l = { .change = change };
        int r;

        r = configuration_new(&c);
        if (r < 0)
                return r;
        l.configuration = c;
        r = conf_tree_load_kinds(root, configuration_kinds, _CONFIGURATION_KIND_MAX, c->messages, take, &l);
        if (r >= 0 && change && !l.applied)
                r = add_new(&l);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int offline_load(const char *root, const OfflineChange *change, Configuration **ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        int r;

        r = offline_read(root, change, &c);
        if (r >= 0)
                r = configuration_check(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int load_kind(const char *root, ConfigurationKind kind, ConfTree **ret, size_t *ret_n) {
        _cleanup_conf_ Conf *messages = NULL;
        int r;

        r = conf_new(&messages);
        return r < 0 ? r : conf_tree_load(root, configuration_kinds + kind, messages, ret, ret_n);
}

int offline_files(const char *root, const DefinitionName *name, char ***ret, ShownMessages *messages) {
        ConfTree *trees = NULL;
        size_t n = 0;
        int r;

        *ret = NULL;
        r = load_kind(root, name->kind, &trees, &n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (!streq(trees[i].name, name->name))
                        continue;
                *ret = TAKE_PTR(trees[i].conf->files);
                for (size_t k = 0; messages && k < trees[i].conf->n_messages && r >= 0; k++)
                        r = shown_messages_add(messages, trees[i].conf->messages + k);
        }
        conf_tree_free_many(trees, n);
        return r;
}

int offline_names(const char *root, ConfigurationKind kind, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        ConfTree *trees = NULL;
        size_t n = 0;
        int r;

        r = load_kind(root, kind, &trees, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = strv_append(&names, trees[i].name);
        conf_tree_free_many(trees, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

static int clean(char **p, const char *text) {
        return text_clean(text, strlen(text), SHOWN_MAX, p);
}

static bool is_there(const ShownMessages *l, const ShownMessage *m) {
        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i].line == m->line && streq(l->items[i].text, m->text) &&
                    streq(l->items[i].file, m->file))
                        return true;
        return false;
}

int shown_messages_add(ShownMessages *l, const ConfMessage *m) {
        ShownMessages one = {};
        ShownMessage *grown;
        int r;

        one.items = calloc(1, sizeof(*one.items));
        if (!one.items)
                return -ENOMEM;
        one.n_items = 1;
        one.items->line = m->line;
        r = clean(&one.items->severity, m->severity == CONF_ERROR ? "error" : "warning");
        if (r >= 0)
                r = clean(&one.items->file, m->file);
        if (r >= 0)
                r = clean(&one.items->text, m->text);
        if (r >= 0 && !is_there(l, one.items)) {
                grown = reallocarray(l->items, l->n_items + 1, sizeof(*grown));
                if (grown) {
                        l->items = grown;
                        grown[l->n_items++] = *one.items;
                        *one.items = (ShownMessage){};
                } else
                        r = -ENOMEM;
        }
        shown_messages_done(&one);
        return r;
}

void shown_messages_done(ShownMessages *l) {
        rows_done((Rows *) l, &shown_message_type);
}

static int add_one(const ConfMessage *m, const char *job, void *userdata) {
        return shown_messages_add(userdata, m);
}

int offline_messages(const Configuration *c, ShownMessages *ret) {
        return configuration_each_message(c, add_one, ret);
}
