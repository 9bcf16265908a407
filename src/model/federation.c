/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Federation entries as values, and as JSON.
 *
 * Keeps texts as they came, for the registry compares bytes: who shows them to people cleans them. Knows
 * nothing of what is to become of a federation, see model/federation-plan. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "model/federation.h"

static void entry_done(FederationEntry *e) {
        free(e->issuer);
        free(e->subject);
        strv_free(e->audiences);
        *e = (FederationEntry){};
}

void federation_done(Federation *f) {
        for (size_t i = 0; i < f->n_items; i++)
                entry_done(f->items + i);
        free(f->items);
        *f = (Federation){};
}

int federation_add(Federation *f, const char *issuer, const char *subject, char *const *audiences) {
        _cleanup_(entry_done) FederationEntry e = {};
        FederationEntry *grown;
        int r;

        r = free_and_strdup(&e.issuer, issuer);
        if (r >= 0)
                r = free_and_strdup(&e.subject, subject);
        if (r >= 0 && strv_length(audiences) > 0)
                r = strv_copy(audiences, &e.audiences);
        if (r < 0)
                return r;
        grown = reallocarray(f->items, f->n_items + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        f->items = grown;
        grown[f->n_items++] = e;
        e = (FederationEntry){};
        return 0;
}

const FederationEntry *federation_find(const Federation *f, const char *issuer, const char *subject) {
        for (size_t i = 0; i < f->n_items; i++)
                if (streq(f->items[i].subject, subject) && streq(f->items[i].issuer, issuer))
                        return f->items + i;
        return NULL;
}

static bool is_within(const Federation *a, const Federation *b, bool with_audiences) {
        for (size_t i = 0; i < a->n_items; i++) {
                const FederationEntry *e = federation_find(b, a->items[i].issuer, a->items[i].subject);

                if (!e || (with_audiences && !strv_equal(e->audiences, a->items[i].audiences)))
                        return false;
        }
        return true;
}

bool federation_equal(const Federation *a, const Federation *b) {
        return a->n_items == b->n_items && is_within(a, b, true) && is_within(b, a, true);
}

bool federation_names_same(const Federation *a, const Federation *b) {
        return is_within(a, b, false) && is_within(b, a, false);
}

/* Returns 1, 0 if it is not there, -EBADMSG. */
static int read_text(json_object *o, const char *key, const char **ret) {
        int r;

        r = json_get_string(o, key, ret);
        return r > 0 && (isempty(*ret) || strlen(*ret) > FEDERATION_TEXT_MAX) ? -EBADMSG : r;
}

static int read_audiences(json_object *o, char ***ret) {
        json_object *array;
        int r;

        r = json_get_array(o, "audiences", &array);
        if (r <= 0)
                return r;
        if (json_object_array_length(array) > FEDERATION_ENTRIES_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < json_object_array_length(array) && r >= 0; i++) {
                json_object *item = json_object_array_get_idx(array, i);

                if (!json_object_is_type(item, json_type_string) ||
                    json_object_get_string_len(item) > FEDERATION_TEXT_MAX)
                        return -EBADMSG;
                r = strv_append(ret, json_object_get_string(item));
        }
        return r < 0 ? r : 0;
}

static bool has_unknown_member(json_object *o) {
        json_object_object_foreach(o, key, value) {
                (void) value;
                if (!streq(key, "issuer") && !streq(key, "subject") && !streq(key, "audiences"))
                        return true;
        }
        return false;
}

static int read_entry(json_object *o, Federation *f, const char **reterr) {
        _cleanup_strv_ char **audiences = NULL;
        const char *issuer, *subject;
        int r;

        *reterr = "has an entry that is none";
        if (!json_object_is_type(o, json_type_object) || read_text(o, "issuer", &issuer) <= 0 ||
            read_text(o, "subject", &subject) <= 0)
                return -EBADMSG;
        r = read_audiences(o, &audiences);
        if (r < 0)
                return r;
        if (has_unknown_member(o)) {
                *reterr = "has an entry with more in it than issuer, subject and audiences";
                return -EBADMSG;
        }
        return federation_add(f, issuer, subject, audiences);
}

int federation_parse(const char *text, size_t size, Federation *ret, const char **reterr) {
        _cleanup_(federation_done) Federation f = {};
        _cleanup_json_ json_object *array = NULL;
        int r;

        *reterr = "is no JSON array";
        r = json_parse(text, size, &array, NULL);
        if (r < 0)
                return r;
        if (!json_object_is_type(array, json_type_array))
                return -EBADMSG;
        if (json_object_array_length(array) > FEDERATION_ENTRIES_MAX) {
                *reterr = "has more entries than make sense";
                return -EBADMSG;
        }
        for (size_t i = 0; i < json_object_array_length(array) && r >= 0; i++)
                r = read_entry(json_object_array_get_idx(array, i), &f, reterr);
        if (r < 0)
                return r;
        *ret = f;
        f = (Federation){};
        return 0;
}

static int add_entry(json_object *array, const FederationEntry *e) {
        _cleanup_json_ json_object *o = json_object_new_object(), *audiences = NULL;
        int r;

        r = o ? json_put(o, "issuer", json_object_new_string(e->issuer)) : -ENOMEM;
        if (r >= 0)
                r = json_put(o, "subject", json_object_new_string(e->subject));
        if (r >= 0 && e->audiences) {
                audiences = json_object_new_array();
                r = audiences ? 0 : -ENOMEM;
                for (char *const *a = e->audiences; *a && r >= 0; a++)
                        r = json_append(audiences, json_object_new_string(*a));
                if (r >= 0)
                        r = json_put(o, "audiences", TAKE_PTR(audiences));
        }
        return r < 0 ? r : json_append(array, TAKE_PTR(o));
}

int federation_print(const Federation *f, char **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r = array ? 0 : -ENOMEM;

        for (size_t i = 0; i < f->n_items && r >= 0; i++)
                r = add_entry(array, f->items + i);
        return r < 0 ? r : json_print(array, /* pretty= */ false, ret);
}
