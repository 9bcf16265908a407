/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what Quay says to an exchange.
 *
 * A good answer is a token that is judged by the registry's own clock: it must not be over, must not
 * begin later, and its life is never taken for longer than what is left of it. What a refusal means
 * stands in exchange/quay-refusal; this file knows none of Quay's sentences. */

#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "worker/exchange/quay-answer.h"
#include "worker/exchange/quay-refusal.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"
#include "worker/notice.h"
#include "worker/token-document.h"

/* What every robot token of Quay lives, for those that do not say. */
#define LIFETIME_DEFAULT 3600
/* The clocks of one registry's machines may differ a little. */
#define LEEWAY 30
/* Far enough for any token, near enough that microseconds of it fit a usec_t. */
#define SECONDS_MAX (INT64_C(1) << 40)

static int malformed(const QuayQuestion *q, const HttpAnswer *a, const char *what, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_(words_done) Words w = {};
        int r;

        r = words_read(a, (const Secret *const[]){ q->token }, 1, &w);
        if (r >= 0)
                r = failure_new(&f, STEP_EXCHANGE, REASON_ANSWER_MALFORMED,
                                "%s answered the exchange with success, but %s", q->registry, what);
        if (r >= 0)
                r = http_failure_complete(f, a, &w);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

static int read_token(const QuayQuestion *q, const HttpAnswer *a, Secret **ret, Failure **reterr) {
        const char *what;
        int r;

        r = token_member_read(a->body, NULL, "token", ret, NULL, &what);
        return r >= 0 || r == -ENOMEM ? r : malformed(q, a, what, reterr);
}

static int not_usable(const QuayQuestion *q, const HttpAnswer *a, const char *what, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_EXCHANGE, REASON_TOKEN_NOT_USABLE, "The token that %s returned %s",
                        q->registry, what);
        if (r >= 0)
                r = http_failure_complete(f, a, NULL);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* Seconds since 1970 by the registry's clock. Returns false if it did not tell. */
static bool registry_time(const HttpAnswer *a, int64_t *ret) {
        usec_t date;

        if (!a->date || http_date_parse(a->date, &date) < 0)
                return false;
        *ret = (int64_t) (date / USEC_PER_SEC);
        return true;
}

/* Our own clock is not asked: it may be the one that is wrong. */
static int judge_dates(const QuayQuestion *q, const HttpAnswer *a, const JwtClaims *claims, Credential *c,
                       Failure **reterr) {
        int64_t now;

        if (claims->iat < 0 || claims->exp <= claims->iat || claims->exp > SECONDS_MAX)
                return not_usable(q, a, "has dates that make no sense", reterr);
        c->issued = claims->iat;
        c->expires = claims->exp;
        if (!registry_time(a, &now))
                return 0;
        if (claims->exp <= now)
                return not_usable(q, a, "has expired already", reterr);
        if (claims->iat > now + LEEWAY || (claims->has_nbf && claims->nbf > now + LEEWAY))
                return not_usable(q, a, "is not valid yet", reterr);
        /* Issued some time ago: only the rest of its life is ours. */
        if (now - claims->iat > LEEWAY)
                c->issued = now;
        return 0;
}

static int assume_dates(const QuayQuestion *q, const HttpAnswer *a, Credential *c, char ***notices) {
        if (!registry_time(a, &c->issued))
                c->issued = (int64_t) (q->now / USEC_PER_SEC);
        c->expires = c->issued + LIFETIME_DEFAULT;
        return notice_add(notices,
                          "The token that %s returned does not say when it ends; one hour is assumed",
                          q->registry);
}

static int take_dates(const QuayQuestion *q, const HttpAnswer *a, Credential *c, Failure **reterr,
                      char ***notices) {
        _cleanup_jwt_ JwtClaims *claims = NULL;
        struct iovec token = secret_peek(c->secret);
        const char *why;
        int r;

        r = jwt_parse(token.iov_base, token.iov_len, &claims, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !claims->has_iat || !claims->has_exp)
                return assume_dates(q, a, c, notices);
        r = judge_dates(q, a, claims, c, reterr);
        if (r != 0)
                return r;
        if (claims->aud && !jwt_has_audience(claims, q->registry))
                return notice_add(notices, "The registry calls itself %s in its token, not %s",
                                  claims->aud[0], q->registry);
        return 0;
}

int quay_answer_read(const QuayQuestion *q, const HttpAnswer *a, Credential **ret, Failure **reterr,
                     char ***notices) {
        _cleanup_credential_ Credential *c = NULL;
        int r;

        if (a->status != 200) {
                r = quay_refusal_read(q, a, reterr);
                return r < 0 ? r : 1;
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = read_token(q, a, &c->secret, reterr);
        if (r != 0)
                return r;
        r = free_and_strdup(&c->user, q->robot);
        if (r < 0)
                return r;
        c->obtained_boot = a->started_boot;
        r = take_dates(q, a, c, reterr, notices);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
