/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A credential: what an exchange yields and a target holds. */

#include "base/clock.h"
#include "base/secret.h"

typedef struct Credential {
        char *user;     /* "acme+edge" */
        Secret *secret; /* the robot token */
        /* As the token itself says, in the registry's time, seconds since 1970; expires > issued. */
        int64_t issued;
        int64_t expires;
        /* Our boot clock just before the request that returned it was sent: the token cannot be older, so
         * obtained_boot + lifetime never lies behind its real end. */
        usec_t obtained_boot;
} Credential;

Credential *credential_free(Credential *c);
DEFINE_CLEANUP(Credential *, credential_free)
#define _cleanup_credential_ _cleanup_(credential_freep)

static inline usec_t credential_lifetime(const Credential *c) {
        return (usec_t) (c->expires - c->issued) * USEC_PER_SEC;
}
/* When it ends, on the boot clock. */
usec_t credential_expires_boot(const Credential *c);
/* What targets want of it (model/user-pass); in base64 it is the "auth" member of auth.json. */
int credential_user_pass(const Credential *c, Secret **ret);
