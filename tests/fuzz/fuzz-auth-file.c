/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Merging into any file. The first byte of the input says which of four keys are wanted, which are to go;
 * the rest is the file. Foreign members keep their bytes and their order, the result is strict JSON that
 * says what was asked for, a second merge changes nothing, and a file that is refused is refused by all
 * of them. */

#include "fuzz.h"

#include "model/auth-file.h"

#define N_KEYS 4

static const char *const keys[N_KEYS] = { "a", "quay.io/a", "quay.io:443/b/c", "\xc3\xa9\"\\" };

static const AuthEntry *find(const AuthEntry *entries, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++)
                if (streq(entries[i].key, key))
                        return entries + i;
        return NULL;
}

/* Members of "auths", or of the object at the top. */
static JsonMembers members_of(const char *text, size_t size, bool auths) {
        JsonMembers top = {}, inner = {};
        const JsonMember *m;

        fuzz_assert(json_text_check(text, size, NULL) == 0);
        fuzz_assert(json_text_members(text, json_text_root(text, size), &top) == 0);
        if (!auths)
                return top;
        m = json_members_find(&top, "auths");
        fuzz_assert(!m || json_text_members(text, m->value, &inner) == 0);
        json_members_done(&top);
        return inner;
}

static bool is_same(const char *a, const JsonMember *x, const char *b, const JsonMember *y) {
        size_t size = x->value.offset + x->value.size - x->key.offset;

        return size == y->value.offset + y->value.size - y->key.offset &&
               memcmp(a + x->key.offset, b + y->key.offset, size) == 0;
}

static void check_foreign(const char *old, size_t old_size, struct iovec new, const AuthEntry *entries,
                          size_t n, bool auths) {
        JsonMembers before = members_of(old, old_size, auths);
        JsonMembers after = members_of(new.iov_base, new.iov_len, auths);
        size_t k = 0;

        for (size_t i = 0; i < before.n_items; i++) {
                const AuthEntry *wish = auths ? find(entries, n, before.items[i].name) : NULL;

                if (wish && !wish->user_pass)
                        continue;
                fuzz_assert(k < after.n_items && streq(after.items[k].name, before.items[i].name));
                fuzz_assert(wish || (!auths && streq(before.items[i].name, "auths")) ||
                            is_same(old, before.items + i, new.iov_base, after.items + k));
                k++;
        }
        for (; k < after.n_items; k++)
                fuzz_assert(auths ? find(entries, n, after.items[k].name) != NULL
                                  : streq(after.items[k].name, "auths"));
        json_members_done(&before);
        json_members_done(&after);
}

static void check_wishes(const char *text, size_t size, const AuthEntry *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *found = NULL;

                fuzz_assert(auth_file_has(text, size, entries[i].key) == (entries[i].user_pass != NULL));
                fuzz_assert(auth_file_lookup(text, size, entries[i].key, &found) ==
                            (entries[i].user_pass != NULL));
                fuzz_assert(secret_equal(found, entries[i].user_pass));
        }
}

static void check_refusal(const char *old, size_t size, const JsonError *error) {
        Secret *found = NULL;

        fuzz_assert(error->what && error->line >= 1 && error->column >= 1);
        fuzz_assert(auth_file_has(old, size, "a") == -EBADMSG);
        fuzz_assert(auth_file_lookup(old, size, "a", &found) == -EBADMSG && !found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *user_pass = NULL, *new = NULL, *again = NULL;
        const char *old = (const char *) data + 1;
        AuthEntry entries[N_KEYS];
        JsonError error = {};
        struct iovec bytes;
        size_t n = 0;
        int r;

        if (size-- == 0)
                return 0;
        fuzz_assert(secret_new_string("a:b", &user_pass) == 0);
        for (size_t i = 0; i < N_KEYS; i++)
                if (data[0] >> i & 1)
                        entries[n++] =
                                (AuthEntry){ keys[i], data[0] >> (N_KEYS + i) & 1 ? user_pass : NULL };
        r = auth_file_merge(old, size, entries, n, &new, &error);
        if (r == -EBADMSG) {
                check_refusal(old, size, &error);
                return 0;
        }
        fuzz_assert(r == (new ? AUTH_FILE_CHANGED : AUTH_FILE_UNCHANGED));
        if (!new) {
                check_wishes(old, size, entries, n);
                return 0;
        }
        bytes = secret_peek(new);
        check_wishes(bytes.iov_base, bytes.iov_len, entries, n);
        fuzz_assert(auth_file_merge(bytes.iov_base, bytes.iov_len, entries, n, &again, &error) ==
                    AUTH_FILE_UNCHANGED);
        if (json_text_root(old, size).size > 0) {
                check_foreign(old, size, bytes, entries, n, /* auths= */ true);
                check_foreign(old, size, bytes, entries, n, /* auths= */ false);
        }
        return 0;
}
