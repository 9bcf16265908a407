/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* auth.json as text (containers-auth.json(5)): putting entries in and taking them out without touching a
 * byte of what is not ours. Pure.
 *
 * Foreign parts are never printed anew: the new text is spliced from spans of the old one. */

#include "base/macro.h"
#include "base/secret.h"
#include "codec/json-text.h"

#define AUTH_FILE_MAX (16 * 1024 * 1024)

/* One entry that we want to stand, or to be gone. */
typedef struct AuthEntry {
        const char *key;         /* scope: "host/ns" */
        const Secret *user_pass; /* "user:secret"; NULL: the key is to be removed */
} AuthEntry;

typedef enum AuthFileState {
        AUTH_FILE_UNCHANGED, /* *ret is NULL */
        AUTH_FILE_CHANGED,
} AuthFileState;

/* Applies `entries` (keys unique) to `old` (size 0 or blanks only: no file yet, or an empty one: becomes a
 * fresh object, laid out as podman does, without a newline at the end). Present keys are replaced in place,
 * new ones are appended to "auths", which is made if missing, in the layout of their neighbours
 * (model/auth-style). An entry that says "auth" with that value and nothing else is left alone, however it
 * is written. Returns AUTH_FILE_UNCHANGED, AUTH_FILE_CHANGED with *ret, or -EBADMSG: not strict JSON
 * (*reterr says where), or no object at the top or at "auths" (reterr->what says so, line and column of the
 * value); -EFBIG beyond AUTH_FILE_MAX; -EINVAL: a key that is not UTF-8; -ENOMEM. */
int auth_file_merge(const char *old, size_t old_size, const AuthEntry *entries, size_t n_entries,
                    Secret **ret, JsonError *reterr);

/* "user:password" of one key. Returns 1 found, 0 no such key or no "auth" in base64 in it, -EBADMSG,
 * -ENOMEM. */
int auth_file_lookup(const char *text, size_t size, const char *key, Secret **ret_user_pass);
/* True (1) if the key stands there at all, whatever its value. */
int auth_file_has(const char *text, size_t size, const char *key);
