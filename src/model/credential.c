/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A credential as a value: its end on the boot clock, and the form in which tools read it.
 *
 * Owns user name and secret. Never asks a clock and never believes that ours agrees with the registry's: the
 * end is counted from the moment before it was asked for. */

#include <string.h>

#include "model/credential.h"

Credential *credential_free(Credential *c) {
        if (!c)
                return NULL;
        free(c->user);
        secret_free(c->secret);
        free(c);
        return NULL;
}

usec_t credential_expires_boot(const Credential *c) {
        return usec_add(c->obtained_boot, credential_lifetime(c));
}

int credential_user_pass(const Credential *c, Secret **ret) {
        _cleanup_secret_ Secret *user = NULL, *colon = NULL;
        int r;

        r = secret_new_string(c->user, &user);
        if (r >= 0)
                r = secret_new_string(":", &colon);
        return r < 0 ? r : secret_join((const Secret *const[]){ user, colon, c->secret }, 3, ret);
}
