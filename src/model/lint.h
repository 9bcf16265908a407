/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Would Quay take this JWT? Checked before the exchange, for the registry answers most of these mistakes
 * with a 500 that hides them (HTML "Internal Server Error"). Pure. */

#include "base/clock.h"
#include "base/failure.h"
#include "codec/jwt.h"

/* An Authorization line over about 8 KB is refused; base64 makes 4 of 3 bytes. */
#define LINT_TOKEN_MAX (6 * 1024)
/* Quay's leeway either way. */
#define LINT_LEEWAY (30 * USEC_PER_SEC)

/* Is this https address one of those that mean something inside of a cluster alone? A registry that runs
 * there reaches it, so this is worth a word and no failure. */
bool lint_issuer_is_internal(const char *issuer);

/* `raw` is what the source gave, blanks at the end cut off. Returns 0 with *ret_claims, 1 with
 * *reterr_failure set (step identity; *ret_claims is set too if the token could be parsed), -ENOMEM.
 * `audience` may be NULL. `now` is our real clock; `clock_trusted` false (a clock before the build of this
 * program, say) keeps dates from being judged here. */
int lint_token(const char *raw, size_t size, const char *audience, usec_t now, bool clock_trusted,
               JwtClaims **ret_claims, Failure **reterr_failure);
