/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holds targets against each other.
 *
 * Owns the definitions and the rule that a file belongs to one target: two that merge into it would each
 * take the entries of the other for those of strangers. Who was there first, keeps it: what is built in,
 * then the first by name. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/config-value.h"
#include "model/name.h"
#include "model/target-set.h"

static void definition_done(TargetDefinition *d) {
        target_config_free(d->config);
        conf_free(d->conf);
}

TargetSet *target_set_free(TargetSet *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n; i++)
                definition_done(s->items + i);
        free(s->items);
        free(s);
        return NULL;
}

static int append(TargetSet *s, const TargetDefinition *d) {
        TargetDefinition *grown = reallocarray(s->items, s->n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        s->items = grown;
        grown[s->n++] = *d;
        return 0;
}

int target_set_new(TargetSet **ret) {
        _cleanup_(target_set_freep) TargetSet *s = NULL;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        for (size_t i = 0; target_config_builtin(i); i++) {
                TargetDefinition d = {};
                int r;

                r = target_config_default(target_config_builtin(i), &d.config);
                if (r >= 0)
                        r = append(s, &d);
                if (r < 0) {
                        definition_done(&d);
                        return r;
                }
        }
        *ret = TAKE_PTR(s);
        return 0;
}

static TargetDefinition *find(const TargetSet *s, const char *name) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->items[i].config->name, name))
                        return s->items + i;
        return NULL;
}

const TargetDefinition *target_set_find(const TargetSet *s, const char *name) {
        return find(s, name);
}

static void mask(TargetSet *s, const char *name) {
        TargetDefinition *d = find(s, name);

        if (!d)
                return;
        definition_done(d);
        s->n--;
        memmove(d, d + 1, (size_t) (s->items + s->n - d) * sizeof(*d));
}

int target_set_add(TargetSet *s, const char *name, Conf *conf) {
        TargetDefinition d = { .conf = conf }, *was;
        int r;

        if (!conf) {
                mask(s, name);
                return 0;
        }
        r = target_config_new(name, conf, &d.config);
        if (r < 0) {
                definition_done(&d);
                return r;
        }
        conf_forget_assignments(conf);
        was = find(s, name);
        if (was) {
                definition_done(was);
                *was = d;
                return 0;
        }
        r = append(s, &d);
        if (r < 0)
                definition_done(&d);
        return r;
}

/* Built-in ones lie in front and have different files, so whoever comes later has a file to complain about;
 * unless it is a file that changed a built-in one. */
static int check_pair(const TargetDefinition *first, const TargetDefinition *second) {
        const TargetDefinition *loser = second->conf ? second : first,
                               *holder = second->conf ? first : second;
        const char *path = strv_common(first->config->paths, second->config->paths);

        if (!path || !loser->conf)
                return 0;
        return conf_add_message(loser->conf, CONF_ERROR, config_main_file(loser->conf), 0,
                                "The file %s is that of target '%s' already, name that one in Targets=, or "
                                "give another Path=",
                                path, holder->config->name);
}

int target_set_check(const TargetSet *s) {
        for (size_t i = 0; i < s->n; i++)
                for (size_t k = 0; k < i; k++) {
                        int r = check_pair(s->items + k, s->items + i);

                        if (r < 0)
                                return r;
                }
        return 0;
}

int target_set_get(const TargetSet *s, const char *name, TargetConfig **ret) {
        const TargetDefinition *d = find(s, name);

        if (!d)
                return target_name_user(name) ? target_config_default(name, ret) : 0;
        if (d->conf && conf_has_error(d->conf))
                return 0;
        *ret = target_config_share(d->config);
        return 1;
}

int target_set_names(const TargetSet *s, char **ret) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < s->n && r >= 0; i++)
                r = strv_append(&names, s->items[i].config->name);
        return r < 0 ? r : strv_join(names, ", ", ret);
}
