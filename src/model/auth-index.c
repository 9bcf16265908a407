/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An index over the "auths" of an auth.json (containers-auth.json(5)).
 *
 * Owns a sorted list of spans; the text stays its owner's. Changes nothing: that is model/auth-file. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "model/auth-index.h"

struct AuthIndex {
        const char *text;
        JsonMembers entries;
        char *other;
};

AuthIndex *auth_index_free(AuthIndex *x) {
        if (!x)
                return NULL;
        json_members_done(&x->entries);
        free(x->other);
        free(x);
        return NULL;
}

static int compare_members(const void *a, const void *b) {
        return strcmp(((const JsonMember *) a)->name, ((const JsonMember *) b)->name);
}

static int fail(const char *text, JsonSpan at, const char *what, JsonError *reterr) {
        *reterr = (JsonError){ .line = 1, .column = 1, .what = what };
        for (size_t i = 0; i < at.offset; i++)
                if (text[i] == '\n') {
                        reterr->line++;
                        reterr->column = 1;
                } else
                        reterr->column++;
        return -EBADMSG;
}

static int take_other(AuthIndex *x, const JsonMembers *top) {
        for (size_t i = 0; i < top->n_items; i++)
                if (!streq(top->items[i].name, "auths")) {
                        x->other = strdup(top->items[i].name);
                        return x->other ? 0 : -ENOMEM;
                }
        return 0;
}

static int find_entries(AuthIndex *x, size_t size, JsonError *reterr) {
        JsonSpan root = json_text_root(x->text, size);
        JsonMembers top = {};
        const JsonMember *auths;
        int r;

        r = json_text_members(x->text, root, &top);
        if (r == -ENOTDIR)
                return fail(x->text, root, "not an object", reterr);
        if (r < 0)
                return r;
        r = take_other(x, &top);
        auths = json_members_find(&top, "auths");
        if (r >= 0 && auths) {
                r = json_text_members(x->text, auths->value, &x->entries);
                if (r == -ENOTDIR)
                        r = fail(x->text, auths->value, "\"auths\" is not an object", reterr);
        }
        json_members_done(&top);
        return r;
}

static bool is_blank(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!strchr(WHITESPACE, text[i]) || text[i] == '\0')
                        return false;
        return true;
}

int auth_index_new(const char *text, size_t size, AuthIndex **ret, JsonError *reterr) {
        _cleanup_(auth_index_freep) AuthIndex *x = NULL;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->text = text;
        /* No file and an empty one say the same: nothing. */
        if (!is_blank(text, size)) {
                r = json_text_check(text, size, reterr);
                if (r >= 0)
                        r = find_entries(x, size, reterr);
                if (r < 0)
                        return r;
        }
        if (x->entries.n_items > 1)
                qsort(x->entries.items, x->entries.n_items, sizeof(*x->entries.items), compare_members);
        *ret = TAKE_PTR(x);
        return 0;
}

static const JsonMember *find(const AuthIndex *x, const char *key) {
        const JsonMember probe = { .name = (char *) key };

        if (x->entries.n_items == 0)
                return NULL;
        return bsearch(&probe, x->entries.items, x->entries.n_items, sizeof(probe), compare_members);
}

bool auth_index_has(const AuthIndex *x, const char *key) {
        return find(x, key);
}

int auth_index_user_pass(const AuthIndex *x, const char *key, Secret **ret) {
        _cleanup_json_erase_ json_object *entry = NULL;
        const JsonMember *m = find(x, key);
        const char *auth;
        int r;

        if (!m)
                return 0;
        r = json_parse(x->text + m->value.offset, m->value.size, &entry, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!json_object_is_type(entry, json_type_object) || json_get_string(entry, "auth", &auth) <= 0)
                return 0;
        r = base64_decode(auth, strlen(auth), ret);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return 1;
}

const char *auth_index_other(const AuthIndex *x) {
        return x->other;
}

const char *auth_index_key(const AuthIndex *x, size_t i) {
        return i < x->entries.n_items ? x->entries.items[i].name : NULL;
}
