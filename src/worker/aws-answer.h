/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the metadata service of AWS and its token service (STS) say. Pure. All return 0, -EBADMSG for what is
 * not what it should be, or -ENOMEM. */

#include "base/failure.h"
#include "base/secret.h"

/* One word of text: a session token, the name of a role. `max` is its longest. */
int aws_read_word(const Secret *body, size_t max, Secret **ret);
/* Likewise, but what goes into the name of a host. */
int aws_read_region(const Secret *body, Secret **ret);

/* The keys of a role, good for hours at most. */
typedef struct AwsKeys {
        Secret *id, *key, *session;
} AwsKeys;

void aws_keys_done(AwsKeys *k);
int aws_read_keys(const Secret *body, AwsKeys *ret);

/* The token in the answer of GetWebIdentityToken. */
int aws_read_token(const Secret *body, Secret **ret);

/* STS said no: adds its words, unless they repeat a piece of a key, and what to do. Returns 0 or -ENOMEM. */
int aws_explain_refusal(const Secret *body, const AwsKeys *keys, Failure *f);
