/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the "auth" member of an entry back to what it was made of.
 *
 * Owns nothing. The file comes from the daemon, and is read like that of a stranger all the same. Refuses an
 * entry without a user name or without a secret: who gets half of a credential fails elsewhere, later. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/entry.h"
#include "codec/base64.h"
#include "codec/json.h"

void entry_done(Entry *e) {
        free(e->user);
        secret_free(e->secret);
        *e = (Entry){};
}

/* "user:secret"; a user name has no colon. */
static int split(const Secret *pair, Entry *ret) {
        _cleanup_(entry_done) Entry e = {};
        struct iovec v = secret_peek(pair);
        const char *text = v.iov_base, *colon = strchr(text, ':');
        int r;

        if (!secret_is_string(pair) || !colon || colon == text || colon[1] == '\0')
                return -EBADMSG;
        e.user = strndup(text, (size_t) (colon - text));
        if (!e.user)
                return -ENOMEM;
        r = secret_new_string(colon + 1, &e.secret);
        if (r < 0)
                return r;
        *ret = e;
        e = (Entry){};
        return 0;
}

int entry_read(const Secret *auth_file, const char *key, Entry *ret) {
        _cleanup_json_erase_ json_object *o = NULL;
        _cleanup_secret_ Secret *pair = NULL;
        struct iovec v = secret_peek(auth_file);
        json_object *auths, *entry;
        const char *auth;
        int r;

        r = json_parse(v.iov_base, v.iov_len, &o, NULL);
        if (r < 0)
                return r;
        if (json_get_object(o, "auths", &auths) <= 0 || json_get_object(auths, key, &entry) <= 0 ||
            json_get_string(entry, "auth", &auth) <= 0)
                return -EBADMSG;
        r = base64_decode(auth, strlen(auth), &pair);
        return r < 0 ? r : split(pair, ret);
}
