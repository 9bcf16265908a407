/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Would the registry take this JWT? Checked before the exchange, for Quay answers most of these mistakes
 * with a 500 that hides them (HTML "Internal Server Error"). Pure. */

#include <errno.h>

#include "base/clock.h"
#include "base/failure.h"
#include "codec/jwt.h"

/* An Authorization line over about 8 KB is refused; base64 makes 4 of 3 bytes. */
#define LINT_TOKEN_MAX (6 * 1024)
/* What is going to be done with the token decides what it must have. */
typedef enum LintUse {
        LINT_QUAY,     /* all that Quay demands */
        LINT_PASSWORD, /* a password that says when it ends */
        LINT_SUBJECT,  /* shown to a token service, whose answer has an end of its own */
        _LINT_USE_MAX,
        _LINT_USE_INVALID = -EINVAL,
} LintUse;

/* Each mistake that is looked for, in the order in which one is named. */
typedef enum LintFinding {
        LINT_EMPTY,
        LINT_MALFORMED, /* no JWT, or more than one, or a piece of one */
        LINT_TOO_LONG,
        LINT_ALGORITHM,
        LINT_NO_KEY_ID,
        LINT_NO_ISSUER,
        LINT_ISSUER, /* no https address */
        LINT_NO_SUBJECT,
        LINT_NO_DATES,
        LINT_AUDIENCE, /* another one, or none */
        LINT_EXPIRED,
        _LINT_FINDING_MAX,
        _LINT_FINDING_INVALID = -EINVAL,
} LintFinding;

typedef struct LintQuestion {
        LintUse use;
        const char *audience; /* that the token must have; NULL: unchecked */
        usec_t now;           /* our real clock */
        bool clock_trusted; /* false (a clock before the build of this program, say): dates are not judged */
} LintQuestion;

/* Quay's leeway either way. */
#define LINT_LEEWAY (30 * USEC_PER_SEC)

/* Is this https address one of those that mean something inside of a cluster alone? A registry that runs
 * there reaches it, so this is worth a word and no failure. */
bool lint_issuer_is_internal(const char *issuer);

/* `raw` is what the source gave, blanks at the end cut off. Returns 0 with *ret_claims, 1 with
 * *reterr_finding and *reterr_failure set (step identity; *ret_claims is set too if the token could be
 * parsed), -ENOMEM. */
int lint_token(const LintQuestion *q, const char *raw, size_t size, JwtClaims **ret_claims,
               LintFinding *reterr_finding, Failure **reterr_failure);
