/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Quay's refusals, as one table.
 *
 * Quay says no in three shapes: 401 with {"error"} about the header, 400 with {"message"} about robot and
 * token, and an HTML page where an exception escaped it. Status and shape choose the class; sentences
 * only choose among reasons of one class, for those behind "Invalid token: " belong to a library of
 * Quay's and may change. Where a sentence is not known, the token's own dates against the registry's
 * clock speak. */

#include <string.h>

#include "base/text.h"
#include "worker/exchange/quay-refusal.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"

/* How far Quay lets clocks differ. */
#define LEEWAY (30 * USEC_PER_SEC)
/* Web servers take header lines of 4 KiB at least; base64 makes four bytes of three. */
#define LONG_TOKEN (3 * 1024)
#define ANY_SHAPE _WORDS_SHAPE_MAX

static const char add_federation[] =
        "Add issuer '%i' with subject '%s' to the federation of robot account %r in the registry, exactly "
        "as written, by hand or with 'pullauthctl federate'";

static const char ask_issuer[] =
        "Check that the registry reaches %i/.well-known/openid-configuration, trusts its certificate and "
        "finds RSA key '%k' there: Quay asks the issuer in each exchange and fails like this if it cannot";

/* In messages and hints: %R registry, %r robot, %i issuer, %s subject, %a audience, %k key. */
typedef struct RefusalRow {
        int status;
        WordsShape shape;
        const char *words; /* somewhere in the registry's words, in any case; NULL: whatever they are */
        Reason reason;
        const char *message;
        const char *hint; /* NULL: that of the reason */
} RefusalRow;

static const RefusalRow rows[] = {
        { 401, WORDS_ERROR, "invalid robot", REASON_ROBOT_NAME_INVALID,
          "%R takes '%r' for no robot account's name", NULL },
        { 401, WORDS_ERROR, NULL, REASON_REJECTED, "%R did not see the authorization that was sent to it",
          "Check that no proxy on the way to the registry removes or changes Authorization headers" },
        { 400, WORDS_MESSAGE, "could not find robot", REASON_ROBOT_UNKNOWN, "%R knows no robot account %r",
          NULL },
        { 400, WORDS_MESSAGE, "does not have federated", REASON_FEDERATION_NOT_CONFIGURED,
          "Robot account %r has no federation in the registry", add_federation },
        { 400, WORDS_MESSAGE, "not configured for this robot", REASON_ISSUER_NOT_ACCEPTED,
          "Robot account %r does not accept issuer '%i'", add_federation },
        { 400, WORDS_MESSAGE, "not in configured issuers", REASON_ISSUER_NOT_ACCEPTED,
          "Issuer '%i' calls itself something else in its discovery document",
          "Let 'issuer' in %i/.well-known/openid-configuration be the same as 'iss' in the token" },
        { 400, WORDS_MESSAGE, "does not match robot", REASON_SUBJECT_NOT_ACCEPTED,
          "Robot account %r does not accept subject '%s'", add_federation },
        { 400, WORDS_MESSAGE, "has expired", REASON_TOKEN_EXPIRED,
          "The registry takes the identity for expired", NULL },
        { 400, WORDS_MESSAGE, "in the future", REASON_CLOCK_SKEW,
          "The identity was issued in the future by the registry's clock", NULL },
        { 400, WORDS_MESSAGE, "not yet valid", REASON_CLOCK_SKEW,
          "The identity is not valid yet by the registry's clock", NULL },
        { 400, WORDS_MESSAGE, "signature verification failed", REASON_SIGNATURE_NOT_ACCEPTED,
          "The registry could not verify the identity's signature",
          "Check that issuer '%i' signed the token and publishes that very key as '%k'" },
        { 400, WORDS_MESSAGE, "alg value", REASON_TOKEN_ALGORITHM,
          "The registry does not take the algorithm that the identity is signed with", NULL },
        { 400, WORDS_MESSAGE, "does not contain issuer", REASON_TOKEN_CLAIM_MISSING,
          "The registry finds no issuer in the identity", NULL },
        { 400, WORDS_MESSAGE, "is missing the", REASON_TOKEN_CLAIM_MISSING,
          "The registry misses a claim in the identity", NULL },
        { 400, WORDS_MESSAGE, "missing `kid`", REASON_TOKEN_CLAIM_MISSING,
          "The registry misses the key's name in the identity", NULL },
        { 400, WORDS_MESSAGE, "audience", REASON_AUDIENCE_NOT_ACCEPTED,
          "Robot account %r does not accept audience '%a'",
          "Make '%a' one of the audiences in the federation of robot account %r, or request another" },
        { 400, WORDS_MESSAGE, "invalid token", REASON_IDENTITY_REJECTED,
          "The registry does not take the identity", NULL },
        { 400, WORDS_MESSAGE, NULL, REASON_REJECTED, "The registry refused the exchange", NULL },
        { 404, ANY_SHAPE, NULL, REASON_NOT_FOUND, "%R knows no federation of robot accounts", NULL },
        { 405, ANY_SHAPE, NULL, REASON_NOT_FOUND, "%R knows no federation of robot accounts", NULL },
        { 431, ANY_SHAPE, NULL, REASON_TOKEN_TOO_LONG, "The identity is too long for %R", NULL },
};

/* Of web servers that did not even read the request. */
static const RefusalRow too_long = {
        400, ANY_SHAPE, NULL, REASON_TOKEN_TOO_LONG, "The identity seems to be too long for %R", NULL,
};

/* Copies what a specifier stands for. */
static int expand_one(const QuayQuestion *q, char specifier, char **ret) {
        const JwtClaims *c = q->claims;
        const char *value = NULL;

        if (specifier == 'a')
                return c->aud ? strv_join(c->aud, " ", ret) : text_format(ret, "?");
        if (specifier == 'R')
                value = q->registry;
        else if (specifier == 'r')
                value = q->robot;
        else if (specifier == 'i')
                value = c->iss;
        else if (specifier == 's')
                value = c->sub;
        else if (specifier == 'k')
                value = c->kid;
        return text_format(ret, "%s", value ?: "?");
}

static int expand(const QuayQuestion *q, const char *text, char **ret) {
        _cleanup_free_ char *so_far = NULL;
        int r;

        r = text_format(&so_far, "%s", "");
        while (r >= 0 && *text) {
                _cleanup_free_ char *value = NULL, *longer = NULL;
                size_t plain = strcspn(text, "%");

                if (text[plain])
                        r = expand_one(q, text[plain + 1], &value);
                if (r >= 0)
                        r = text_format(&longer, "%s%.*s%s", so_far, (int) plain, text, strempty(value));
                if (r < 0)
                        return r;
                free(so_far);
                so_far = TAKE_PTR(longer);
                text += plain + (text[plain] ? 2 : 0);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(so_far);
        return 0;
}

static const RefusalRow *find_row(const QuayQuestion *q, const HttpAnswer *a, const Words *w) {
        for (const RefusalRow *row = rows; row < rows + ELEMENTSOF(rows); row++)
                if (row->status == a->status && (row->shape == ANY_SHAPE || row->shape == w->shape) &&
                    (!row->words || strcasestr(w->text, row->words)))
                        return row;
        return a->status == 400 && secret_size(q->token) > LONG_TOKEN ? &too_long : NULL;
}

/* Quay compared the token with its own clock, which the answer tells. */
static Reason judge_by_dates(const QuayQuestion *q, const HttpAnswer *a, Reason reason) {
        usec_t date, ahead;

        if ((reason != REASON_IDENTITY_REJECTED && reason != REASON_TOKEN_EXPIRED) || !a->date ||
            http_date_parse(a->date, &date) < 0)
                return reason;
        ahead = date > q->now ? date - q->now : q->now - date;
        if (reason == REASON_TOKEN_EXPIRED)
                return ahead > LEEWAY ? REASON_CLOCK_SKEW : reason;
        if (q->claims->has_exp && q->claims->exp < (int64_t) ((date - LEEWAY) / USEC_PER_SEC))
                return ahead > LEEWAY ? REASON_CLOCK_SKEW : REASON_TOKEN_EXPIRED;
        if (q->claims->has_iat && q->claims->iat > (int64_t) ((date + LEEWAY) / USEC_PER_SEC))
                return REASON_CLOCK_SKEW;
        return reason;
}

static int set_hint(Failure *f, const QuayQuestion *q, const char *hint) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = expand(q, hint, &text);
        return r < 0 ? r : failure_set_hint(f, "%s", text);
}

static int failure_of_row(const QuayQuestion *q, const HttpAnswer *a, const RefusalRow *row, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *message = NULL;
        Reason reason = judge_by_dates(q, a, row->reason);
        int r;

        r = expand(q, row->message, &message);
        if (r >= 0)
                r = failure_new(&f, STEP_EXCHANGE, reason, "%s", message);
        if (r >= 0 && row->hint && reason == row->reason)
                r = set_hint(f, q, row->hint);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

/* Behind these the registry tried to ask the issuer, more often than not. */
static bool is_about_issuer(const Failure *f) {
        return f->reason == REASON_REGISTRY_CLOSED ||
               (f->reason == REASON_REGISTRY_ERROR && f->http_status == 500);
}

int quay_refusal_read(const QuayQuestion *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_(words_done) Words w = {};
        const RefusalRow *row;
        int r;

        r = words_read(a, (const Secret *const[]){ q->token }, 1, &w);
        if (r < 0)
                return r;
        row = find_row(q, a, &w);
        if (row) {
                r = failure_of_row(q, a, row, &f);
                if (r >= 0)
                        r = http_failure_complete(f, a, &w);
        } else
                r = http_failure_of_status(a, STEP_EXCHANGE, q->registry, &w, &f);
        if (r >= 0 && is_about_issuer(f))
                r = set_hint(f, q, ask_issuer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int quay_refusal_of_problem(const QuayQuestion *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = http_failure_of_problem(a, STEP_EXCHANGE, q->registry, &f);
        if (r >= 0 && is_about_issuer(f))
                r = set_hint(f, q, ask_issuer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}
