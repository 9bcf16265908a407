/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What stands in an auth.json, key by key: one pass over the text, then look-ups. Pure. */

#include "base/macro.h"
#include "base/secret.h"
#include "codec/json-text.h"

typedef struct AuthIndex AuthIndex;

/* `text` must stay valid and unchanged as long as the index. A size of 0 gives an empty index. Returns 0;
 * -EBADMSG with *reterr filled if the text is not strict JSON, or "auths" is there and
 * no object; -ENOMEM. */
int auth_index_new(const char *text, size_t size, AuthIndex **ret, JsonError *reterr);
AuthIndex *auth_index_free(AuthIndex *x);
DEFINE_CLEANUP(AuthIndex *, auth_index_free)

/* Is the key there at all? */
bool auth_index_has(const AuthIndex *x, const char *key);
/* "user:password" from the "auth" string of a key. Returns 1, 0 if there is no such key or no such string in
 * base64 in it, -ENOMEM. */
int auth_index_user_pass(const AuthIndex *x, const char *key, Secret **ret);
/* A member beside "auths"; NULL if there is none. */
const char *auth_index_other(const AuthIndex *x);
/* The keys, in order of their bytes. NULL behind the last one. */
const char *auth_index_key(const AuthIndex *x, size_t i);
