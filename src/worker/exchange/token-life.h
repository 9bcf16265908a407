/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a token that others are going to take as a password to a credential: how long it is good. Pure. */

#include "base/failure.h"
#include "codec/jwt.h"
#include "model/credential.h"

typedef struct TokenLife {
        const char *user;
        const Secret *token;
        const JwtClaims *claims; /* NULL: no JWT */
        const char *giver;       /* for messages */
        int64_t expires_in;      /* what was said beside it, in seconds; 0: nothing */
        int64_t now;             /* the giver's clock, or ours; 0: neither can be believed */
        usec_t obtained_boot;
} TokenLife;

/* The sooner end counts. Returns 0; 1 with *reterr for a token that is over or has dates that make no sense;
 * -ENOMEM. */
int token_life_credential(const TokenLife *l, Credential **ret, Failure **reterr, char ***notices);
