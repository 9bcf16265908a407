/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Some tools read the first file of several that exists, and that one alone. A file of ours that comes
 * before that of an administrator starts from it, each time anew.
 *
 * Owns the note, in the state, which files are ours as a whole: by salted hashes of all that was
 * written, as with single entries. A file that anybody changed is not ours any more, and is merged into
 * like every other. Reads bases that root alone can have written, through links as administrators set
 * them. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "daemon/target-base.h"
#include "model/auth-file.h"

/* Stands in the state where paths of targets stand, and is none. */
#define FILES "files"
/* Nor can a job be called so. */
#define NO_JOB "-"

int target_base_read(const char *root, char *const *bases, Secret **ret, char **ret_path) {
        STRV_FOREACH(base, bases) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = text_format(&path, "%s%s", root, *base);
                if (r < 0)
                        return r;
                r = file_read(AT_FDCWD, path, AUTH_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, ret, NULL);
                if (r == -ENOENT)
                        continue;
                *ret_path = TAKE_PTR(path);
                return r < 0 ? r : 1;
        }
        return 0;
}

static void take_fingerprint(const StateData *s, const Secret *text, Fingerprint *ret) {
        struct iovec bytes = secret_peek(text);

        state_data_fingerprint(s, bytes.iov_base, bytes.iov_len, ret);
}

bool target_base_is_whole(StateData *s, const char *path, const Secret *text) {
        const OwnedKey *k = state_data_find_key(s, FILES, path);
        Fingerprint print;

        if (!k || !text)
                return false;
        take_fingerprint(s, text, &print);
        return memcmp(&print, &k->current, sizeof(print)) == 0 ||
               memcmp(&print, &k->previous, sizeof(print)) == 0;
}

int target_base_own(StateData *s, const char *path, const Secret *text, const Secret *standing) {
        Fingerprint now, before;

        take_fingerprint(s, text, &now);
        if (standing)
                take_fingerprint(s, standing, &before);
        return state_data_own_key(s, FILES, path, NO_JOB, &now, standing ? &before : NULL);
}

void target_base_disown(StateData *s, const char *path) {
        state_data_disown_key(s, FILES, path);
}
