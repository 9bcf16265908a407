/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The note, in the state, that a file is ours as a whole. There are two kinds of it. One that is made anew
 * each time and has no room for others (Template=, Policy=own) is claimed: whatever it says, it is ours to
 * replace and to remove. One that others may change (of a target with bases) is ours as long as it is what we
 * wrote, by salted hashes as with single entries; once somebody changed it, it is merged into like every
 * other.
 *
 * Owns no file and takes none over: whether a file may become ours is daemon/target's to decide. */

#include "daemon/target-whole.h"

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
