/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entries in and out of an auth.json (containers-auth.json(5)), as a splice of spans.
 *
 * Owns the rules for what a changed file looks like: foreign bytes stay; a replaced entry becomes what a
 * fresh one would be, for members beside "auth" (identitytoken, say) would win over it; a removed one takes
 * one comma and the blanks beside it along. It never prints a tree, and it writes no file: bytes in, bytes
 * out. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "codec/json-string.h"
#include "codec/json-text.h"
#include "model/auth-file.h"
#include "model/auth-index.h"
#include "model/auth-style.h"

/* Bytes that stand somewhere, and that go into the new text as they are, or in base64. */
typedef struct Piece {
        const void *data;
        size_t size;
        bool encoded;
} Piece;

/* The new text as a list of them. */
typedef struct Pieces {
        Piece *items;
        size_t n, n_allocated;
        size_t size;
        int error;
} Pieces;

typedef struct Merge {
        const char *text;
        const AuthEntry *entries;
        size_t n_entries;
        const AuthEntry **sorted; /* by key */
        char **quoted;            /* keys of new entries, by their place in `entries` */
        bool *present;            /* by their place in `entries` */
        JsonMembers top;
        const JsonMember *auths;
        JsonMembers members; /* of "auths" */
        AuthStyle style;
        Pieces pieces;
        bool changed;
} Merge;

static void merge_done(Merge *m) {
        for (size_t i = 0; m->quoted && i < m->n_entries; i++)
                free(m->quoted[i]);
        free(m->quoted);
        free(m->sorted);
        free(m->present);
        free(m->pieces.items);
        json_members_done(&m->top);
        json_members_done(&m->members);
}

static size_t span_end(JsonSpan s) {
        return s.offset + s.size;
}

static void push(Pieces *p, const void *data, size_t size, bool encoded) {
        if (p->error < 0 || size == 0)
                return;
        if (p->n == p->n_allocated) {
                size_t n = p->n_allocated == 0 ? 32 : 2 * p->n_allocated;
                Piece *grown = reallocarray(p->items, n, sizeof(*grown));

                if (!grown) {
                        p->error = -ENOMEM;
                        return;
                }
                p->items = grown;
                p->n_allocated = n;
        }
        p->items[p->n++] = (Piece){ data, size, encoded };
        p->size += encoded ? base64_size(size) : size;
}

static void push_text(Merge *m, const char *text) {
        push(&m->pieces, text, strlen(text), /* encoded= */ false);
}

/* What stands in the old text from one offset to another. */
static void push_old(Merge *m, size_t from, size_t to) {
        push(&m->pieces, m->text + from, to - from, /* encoded= */ false);
}

static void push_auth(Merge *m, const Secret *user_pass) {
        struct iovec bytes = secret_peek(user_pass);

        push_text(m, "\"");
        push(&m->pieces, bytes.iov_base, bytes.iov_len, /* encoded= */ true);
        push_text(m, "\"");
}

static void push_value(Merge *m, const Secret *user_pass) {
        push_text(m, "{");
        push_text(m, m->style.entry.open);
        push_text(m, "\"auth\"");
        push_text(m, m->style.entry.colon);
        push_auth(m, user_pass);
        push_text(m, m->style.entry.close);
        push_text(m, "}");
}

/* In the blanks of the object whose place it takes. */
static void push_value_in_place(Merge *m, const JsonMembers *old, const Secret *user_pass) {
        const JsonMember *first = old->items, *last = old->items + old->n_items - 1;

        push_old(m, old->object.offset, first->key.offset);
        push_text(m, "\"auth\"");
        push_old(m, span_end(first->key), first->value.offset);
        push_auth(m, user_pass);
        push_old(m, span_end(last->value), span_end(old->object));
}

/* Returns 1 if the JSON string at `value` means those bytes in base64. */
static int is_equal(const char *text, JsonSpan value, const Secret *user_pass) {
        JsonString string = { .text = text + value.offset + 1, .size = value.size - 2 };
        _cleanup_erase_ char *meaning = NULL;
        struct iovec bytes = secret_peek(user_pass);
        int r;

        r = json_string_unescape(&string, &meaning);
        if (r < 0)
                return r;
        return base64_is(meaning, strlen(meaning), bytes.iov_base, bytes.iov_len);
}

/* Writes the value of a present key: as it is if it says the same, else with as few changes as it takes. */
static int replace_value(Merge *m, JsonSpan old, const Secret *user_pass) {
        JsonMembers inner = {};
        int r;

        r = json_text_members(m->text, old, &inner);
        if (r == -ENOMEM)
                return r;
        r = 0;
        if (inner.n_items == 1 && streq(inner.items->name, "auth") &&
            m->text[inner.items->value.offset] == '"')
                r = is_equal(m->text, inner.items->value, user_pass);
        if (r > 0)
                push_old(m, old.offset, span_end(old));
        else if (r == 0) {
                if (inner.n_items > 0)
                        push_value_in_place(m, &inner, user_pass);
                else
                        push_value(m, user_pass);
                m->changed = true;
        }
        json_members_done(&inner);
        return r < 0 ? r : 0;
}

static int compare_entries(const void *a, const void *b) {
        return strcmp((*(const AuthEntry *const *) a)->key, (*(const AuthEntry *const *) b)->key);
}

static const AuthEntry *find_entry(const Merge *m, const char *key) {
        const AuthEntry probe = { .key = key }, *pointer = &probe, **found;

        if (m->n_entries == 0)
                return NULL;
        found = bsearch(&pointer, m->sorted, m->n_entries, sizeof(*m->sorted), compare_entries);
        return found ? *found : NULL;
}

/* Blanks (and a comma, but for the first) in front of a member; behind the last member for i = n_items. */
static void push_gap(Merge *m, size_t i) {
        const JsonMembers *l = &m->members;

        push_old(m, i == 0 ? l->object.offset + 1 : span_end(l->items[i - 1].value),
                 i == l->n_items ? span_end(l->object) - 1 : l->items[i].key.offset);
}

/* The members that stay. Returns how many, or -ENOMEM. */
static int push_present(Merge *m) {
        size_t gap = 0; /* the one that the next member which stays gets in front of it */
        int n = 0;

        for (size_t i = 0; i < m->members.n_items; i++) {
                const JsonMember *member = m->members.items + i;
                const AuthEntry *entry = find_entry(m, member->name);
                int r = 0;

                if (entry)
                        m->present[entry - m->entries] = true;
                if (entry && !entry->user_pass) {
                        m->changed = true;
                        continue;
                }
                push_gap(m, gap);
                push_old(m, member->key.offset, member->value.offset);
                if (entry)
                        r = replace_value(m, member->value, entry->user_pass);
                else
                        push_old(m, member->value.offset, span_end(member->value));
                if (r < 0)
                        return r;
                gap = i + 1;
                n++;
        }
        return n;
}

static int push_new(Merge *m, size_t i) {
        int r;

        r = json_text_quote(m->entries[i].key, m->quoted + i);
        if (r < 0)
                return r;
        push_text(m, m->quoted[i]);
        push_text(m, m->style.entries.colon);
        push_value(m, m->entries[i].user_pass);
        m->changed = true;
        return 0;
}

/* The whole of "auths", from brace to brace. */
static int push_entries(Merge *m) {
        int n, r;

        push_text(m, "{");
        n = push_present(m);
        if (n < 0)
                return n;
        for (size_t i = 0; i < m->n_entries; i++) {
                if (!m->entries[i].user_pass || m->present[i])
                        continue;
                push_text(m, n > 0 ? "," : "");
                push_text(m, m->style.entries.open);
                r = push_new(m, i);
                if (r < 0)
                        return r;
                n++;
        }
        if (n > 0 && m->members.n_items > 0)
                push_gap(m, m->members.n_items);
        else if (n > 0)
                push_text(m, m->style.entries.close);
        push_text(m, "}");
        return 0;
}

static bool adds_something(const Merge *m) {
        for (size_t i = 0; i < m->n_entries; i++)
                if (m->entries[i].user_pass)
                        return true;
        return false;
}

/* The whole text. `fresh`: "auths" is to stand there in any case. */
static int push_all(Merge *m, size_t size, bool fresh) {
        size_t behind; /* where the old text goes on behind "auths" */
        int r;

        if (m->auths) {
                push_old(m, 0, m->auths->value.offset);
                behind = span_end(m->auths->value);
        } else if (!fresh && !adds_something(m))
                return 0;
        else {
                bool empty = m->top.n_items == 0;

                behind = empty ? m->top.object.offset + 1 : span_end(m->top.items[m->top.n_items - 1].value);
                push_old(m, 0, behind);
                push_text(m, empty ? "" : ",");
                push_text(m, m->style.top.open);
                push_text(m, "\"auths\"");
                push_text(m, m->style.top.colon);
                m->changed = true;
        }
        r = push_entries(m);
        if (r < 0)
                return r;
        if (m->top.n_items == 0) {
                push_text(m, m->style.top.close);
                behind = span_end(m->top.object) - 1;
        }
        push_old(m, behind, size);
        return m->pieces.error;
}

static int prepare_entries(Merge *m) {
        m->sorted = calloc(m->n_entries + 1, sizeof(*m->sorted));
        m->quoted = calloc(m->n_entries + 1, sizeof(*m->quoted));
        m->present = calloc(m->n_entries + 1, sizeof(*m->present));
        if (!m->sorted || !m->quoted || !m->present)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_entries; i++)
                m->sorted[i] = m->entries + i;
        qsort(m->sorted, m->n_entries, sizeof(*m->sorted), compare_entries);
        return 0;
}

static int refuse(const char *text, JsonSpan at, const char *what, JsonError *reterr) {
        *reterr = json_error_at(text, at.offset, what);
        return -EBADMSG;
}

/* Finds what stands where in a text that was checked. */
static int prepare_text(Merge *m, size_t size, JsonError *reterr) {
        JsonSpan root = json_text_root(m->text, size);
        int r;

        r = json_text_members(m->text, root, &m->top);
        if (r == -ENOTDIR)
                return refuse(m->text, root, "not an object", reterr);
        if (r < 0)
                return r;
        m->auths = json_members_find(&m->top, "auths");
        if (!m->auths)
                return auth_style_detect(&m->style, m->text, &m->top, NULL);
        r = json_text_members(m->text, m->auths->value, &m->members);
        if (r == -ENOTDIR)
                return refuse(m->text, m->auths->value, "\"auths\" is not an object", reterr);
        return r < 0 ? r : auth_style_detect(&m->style, m->text, &m->top, &m->members);
}

static int assemble(const Pieces *p, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        char *out;
        int r;

        if (p->size > AUTH_FILE_MAX)
                return -EFBIG;
        r = secret_new_zero(p->size, &s);
        if (r < 0)
                return r;
        out = secret_writable(s).iov_base;
        for (size_t i = 0; i < p->n; i++) {
                const Piece *piece = p->items + i;

                out = piece->encoded ? base64_write(piece->data, piece->size, out)
                                     : mempcpy(out, piece->data, piece->size);
        }
        *ret = TAKE_PTR(s);
        return 0;
}

int auth_file_merge(const char *old, size_t old_size, const AuthEntry *entries, size_t n_entries,
                    Secret **ret, JsonError *reterr) {
        _cleanup_(merge_done) Merge m = { .text = old, .entries = entries, .n_entries = n_entries };
        bool fresh;
        int r;

        if (old_size > AUTH_FILE_MAX)
                return -EFBIG;
        fresh = json_text_root(old, old_size).size == 0;
        if (fresh) {
                m.text = "{}";
                old_size = strlen(m.text);
        }
        r = json_text_check(m.text, old_size, reterr);
        if (r >= 0)
                r = prepare_text(&m, old_size, reterr);
        if (r >= 0)
                r = prepare_entries(&m);
        if (r >= 0)
                r = push_all(&m, old_size, fresh);
        if (r < 0)
                return r;
        if (!m.changed) {
                *ret = NULL;
                return AUTH_FILE_UNCHANGED;
        }
        r = assemble(&m.pieces, ret);
        return r < 0 ? r : AUTH_FILE_CHANGED;
}

int auth_file_lookup(const char *text, size_t size, const char *key, Secret **ret_user_pass) {
        _cleanup_(auth_index_freep) AuthIndex *index = NULL;
        JsonError error;
        int r;

        r = auth_index_new(text, size, &index, &error);
        return r < 0 ? r : auth_index_user_pass(index, key, ret_user_pass);
}

int auth_file_has(const char *text, size_t size, const char *key) {
        _cleanup_(auth_index_freep) AuthIndex *index = NULL;
        JsonError error;
        int r;

        r = auth_index_new(text, size, &index, &error);
        return r < 0 ? r : auth_index_has(index, key);
}
