/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* [[registry]], [[registry.mirror]] and credential-helpers of registries.conf(5), and from a repository to
 * the places it is looked for in.
 *
 * Owns prefixes, locations and mirrors, as the files name them. Mirrors that serve digests alone are not
 * told from others, and tables that are written inline are not seen. */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/image-reference.h"
#include "model/registries.h"

#define HELPERS_MAX 64

static void place_done(RegistryPlace *p) {
        free(p->prefix);
        free(p->location);
        strv_free(p->mirrors);
}

void registries_done(Registries *l) {
        for (size_t i = 0; i < l->n_items; i++)
                place_done(l->items + i);
        free(l->items);
        strv_free(l->helpers);
        *l = (Registries){};
}

static int grow(Registries *l, size_t table) {
        RegistryPlace *grown = reallocarray(l->items, l->n_items + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        l->items = grown;
        grown[l->n_items++] = (RegistryPlace){ .table = table };
        return 0;
}

/* A list anew: each file that has one puts it in the place of those before it. */
static int take_helper(Registries *l, const TomlString *s) {
        if (s->kind == TOML_ARRAY) {
                strv_free(l->helpers);
                l->helpers = NULL;
                l->has_helpers = true;
        }
        return s->kind == TOML_ELEMENT && strv_length(l->helpers) < HELPERS_MAX
                       ? strv_append(&l->helpers, s->value)
                       : 0;
}

static int take_place(Registries *l, const TomlString *s) {
        bool is_prefix = streq(s->name, "registry.prefix"),
             is_location = streq(s->name, "registry.location");
        RegistryPlace *last;
        int r = 0;

        if ((is_prefix || is_location) && (l->n_items == 0 || l->items[l->n_items - 1].table != s->table))
                r = grow(l, s->table);
        if (r < 0 || l->n_items == 0)
                return r;
        last = l->items + l->n_items - 1;
        if (is_prefix)
                r = free_and_strdup(&last->prefix, s->value);
        else if (is_location)
                r = free_and_strdup(&last->location, s->value);
        else if (streq(s->name, "registry.mirror.location"))
                r = strv_append(&last->mirrors, s->value);
        return r < 0 ? r : 0;
}

static int take(const TomlString *s, void *userdata) {
        if (streq(s->name, "credential-helpers"))
                return take_helper(userdata, s);
        return s->kind == TOML_STRING ? take_place(userdata, s) : 0;
}

int registries_add(Registries *l, const char *text, size_t size, TomlError *reterr) {
        RegistryPlace *grown;
        Registries more = {};
        int r;

        r = toml_strings(text, size, take, &more, reterr);
        if (r >= 0 && more.n_items > 0) {
                grown = reallocarray(l->items, l->n_items + more.n_items, sizeof(*grown));
                if (grown) {
                        l->items = grown;
                        for (size_t i = 0; i < more.n_items; i++)
                                grown[l->n_items++] = more.items[i];
                        more.n_items = 0;
                } else
                        r = -ENOMEM;
        }
        if (r >= 0 && more.has_helpers) {
                strv_free(l->helpers);
                l->helpers = TAKE_PTR(more.helpers);
        }
        registries_done(&more);
        return r;
}

/* How much of the repository the place stands for; 0: nothing. */
static size_t covered(const RegistryPlace *p, const char *repository) {
        const char *prefix = isempty(p->prefix) ? strempty(p->location) : p->prefix, *suffix;
        size_t host = strcspn(repository, "/");

        if (prefix[0] != '*')
                return scope_covers(prefix, repository) ? strlen(prefix) : 0;
        /* "*.example.com" stands for all hosts below that domain. */
        suffix = prefix + 1;
        if (host <= strlen(suffix) || suffix[0] != '.' ||
            strncmp(repository + host - strlen(suffix), suffix, strlen(suffix)) != 0)
                return 0;
        return host;
}

static int add_source(char ***l, const char *location, const char *rest) {
        _cleanup_free_ char *source = NULL;
        int r;

        r = text_format(&source, "%s%s", location, rest);
        return r < 0 ? r : strv_append(l, source);
}

/* The longest prefix, and of two that are the same the later one; a wildcard counts by its own length. */
static const RegistryPlace *find(const Registries *l, const char *repository) {
        const RegistryPlace *best = NULL;
        size_t longest = 0;

        for (size_t i = 0; i < l->n_items; i++) {
                const RegistryPlace *p = l->items + i;
                size_t n = strlen(isempty(p->prefix) ? strempty(p->location) : p->prefix);

                if (covered(p, repository) > 0 && n >= longest) {
                        longest = n;
                        best = p;
                }
        }
        return best;
}

int registries_sources(const Registries *l, const char *repository, char ***ret) {
        const RegistryPlace *p = find(l, repository);
        _cleanup_strv_ char **sources = NULL;
        const char *rest;
        int r = 0;

        *ret = NULL;
        if (!p)
                return 0;
        rest = repository + covered(p, repository);
        for (size_t i = 0; p->mirrors && p->mirrors[i] && r >= 0; i++)
                r = add_source(&sources, p->mirrors[i], rest);
        if (r >= 0)
                r = isempty(p->location) ? strv_append(&sources, repository)
                                         : add_source(&sources, p->location, rest);
        if (r < 0)
                return r;
        if (strv_length(sources) > 1 || !streq(sources[0], repository))
                *ret = TAKE_PTR(sources);
        return 0;
}
