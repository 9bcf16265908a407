/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The note, in the state, that a file is ours as a whole. There are two kinds of it. A file that is made
 * anew each time and has no room for others (Template=, Policy=own) is claimed: whatever it says, it is ours
 * to replace and to remove. One that others may change (of a target with bases) is ours as long as it is
 * what we wrote, by salted hashes as with single entries; once somebody changed it, it is merged into like
 * every other.
 *
 * Owns no file and takes none over: whether a file may become ours is daemon/target's to decide. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/target-whole.h"
#include "model/auth-index.h"

static void take_fingerprint(const StateData *s, const Secret *text, Fingerprint *ret) {
        struct iovec bytes = secret_peek(text);

        state_data_fingerprint(s, bytes.iov_base, bytes.iov_len, ret);
}

bool target_whole_is_claimed(StateData *s, const char *path) {
        const Written *w = state_data_find_file(s, path);

        return w && fingerprint_is_none(&w->current);
}

bool target_whole_is_ours(StateData *s, const char *path, const Secret *text) {
        const Written *w = state_data_find_file(s, path);
        Fingerprint print;

        if (!w || fingerprint_is_none(&w->current) || !text)
                return w && fingerprint_is_none(&w->current);
        take_fingerprint(s, text, &print);
        return written_is(w, &print);
}

int target_whole_own(StateData *s, const char *path, const Secret *text, const Secret *standing) {
        Fingerprint now, before;

        take_fingerprint(s, text, &now);
        if (standing)
                take_fingerprint(s, standing, &before);
        return state_data_own_file(s, path, &now, standing ? &before : NULL);
}

int target_whole_claim(StateData *s, const char *path) {
        const Fingerprint none = {};

        return state_data_own_file(s, path, &none, &none);
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The first one that `keys`, which are sorted, do not have. */
static const char *find_other_key(const AuthIndex *x, const char *const *keys, size_t n) {
        const char *key;

        for (size_t i = 0; (key = auth_index_key(x, i)); i++)
                if (n == 0 || !bsearch(&key, keys, n, sizeof(*keys), compare_keys))
                        return key;
        return auth_index_other(x);
}

int target_whole_find_foreign(const Secret *text, const TargetPlan *plan, char **ret) {
        _cleanup_free_ const char **keys = calloc(plan->n_entries + 1, sizeof(*keys));
        _cleanup_(auth_index_freep) AuthIndex *x = NULL;
        struct iovec bytes = secret_peek(text);
        JsonError error = {};
        const char *found;
        int r;

        if (!keys)
                return -ENOMEM;
        r = auth_index_new(bytes.iov_base, bytes.iov_len, &x, &error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n_entries; i++)
                keys[i] = plan->entries[i].key;
        qsort(keys, plan->n_entries, sizeof(*keys), compare_keys);
        found = find_other_key(x, keys, plan->n_entries);
        *ret = found ? strdup(found) : NULL;
        return !found ? 0 : *ret ? 1 : -ENOMEM;
}

void target_whole_keep_owned(StateData *s, const char *path, TargetPlan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_entries; i++)
                if (state_data_find_key(s, path, plan->entries[i].key)) {
                        plan->entries[n] = plan->entries[i];
                        plan->owners[n++] = plan->owners[i];
                }
        plan->n_entries = n;
}
