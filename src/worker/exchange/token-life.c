/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a token is good, by what it says itself and by what was said beside it.
 *
 * Owns the rule that a token which is not new has only the rest of its life, and that one of which nobody
 * says when it ends is replaced often. */

#include "base/text.h"
#include "worker/exchange/token-life.h"
#include "worker/notice.h"

/* Of a token without any end: short enough to be true of most. */
#define LIFETIME_ASSUMED 600
/* Two clocks may differ a little. */
#define LEEWAY 30
/* Far enough for any token, near enough that microseconds of it fit a usec_t. */
#define SECONDS_MAX (INT64_C(1) << 40)

static int not_usable(const TokenLife *l, const char *what, Failure **reterr) {
        int r = failure_new(reterr, STEP_EXCHANGE, REASON_TOKEN_NOT_USABLE, "The token of %s %s", l->giver,
                            what);

        return r < 0 ? r : 1;
}

static bool says_end(const TokenLife *l) {
        return l->claims && l->claims->has_exp;
}

/* When our time with it begins. */
static int64_t begin_of(const TokenLife *l) {
        bool says = l->claims && l->claims->has_iat && l->claims->iat > 0;
        int64_t iat = says ? l->claims->iat : 0;

        if (l->now <= 0)
                return says ? iat : says_end(l) ? l->claims->exp - LIFETIME_ASSUMED : 0;
        /* With the token's own date a restart recognises it. */
        return says && l->now - iat <= LEEWAY && iat - l->now <= LEEWAY ? iat : l->now;
}

/* Returns 0, 1 with *reterr, -ENOMEM. */
static int set_dates(const TokenLife *l, Credential *c, Failure **reterr, char ***notices) {
        int64_t begin = begin_of(l), end = says_end(l) ? l->claims->exp : 0;

        if (begin < 0 || begin > SECONDS_MAX || end < 0 || end > SECONDS_MAX || l->expires_in < 0 ||
            l->expires_in > SECONDS_MAX)
                return not_usable(l, "has dates that make no sense", reterr);
        if (l->expires_in > 0 && (end == 0 || begin + l->expires_in < end))
                end = begin + l->expires_in;
        c->issued = begin;
        c->expires = end > 0 ? end : begin + LIFETIME_ASSUMED;
        if (c->expires <= begin)
                return not_usable(l, "has expired already", reterr);
        return end > 0 ? 0
                       : notice_add(notices,
                                    "Nothing says when the token of %s ends; ten minutes are assumed",
                                    l->giver);
}

int token_life_credential(const TokenLife *l, Credential **ret, Failure **reterr, char ***notices) {
        struct iovec bytes = secret_peek(l->token);
        _cleanup_credential_ Credential *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->obtained_boot = l->obtained_boot;
        r = set_dates(l, c, reterr, notices);
        if (r != 0)
                return r;
        r = free_and_strdup(&c->user, l->user);
        if (r >= 0)
                r = secret_new(bytes.iov_base, bytes.iov_len, &c->secret);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
