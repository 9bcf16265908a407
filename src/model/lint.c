/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is demanded of an identity, looked at before it is sent: by Quay, or of a token that is a password.
 *
 * Owns the words for each mistake: they name the claim, and the hint says what to change, for the registry
 * says "Internal Server Error" to most of them. Judges no more than it must: what Quay takes has to pass
 * here, so nothing is said of "nbf", of "iat" in the future (the registry's clock decides, and its words are
 * clear) or of claims that it never reads. Verifies no signature. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/scalar.h"
#include "base/text.h"
#include "model/lint.h"

/* Of a claim in a message: enough to recognise it by, short enough that the rest of the sentence stays. */
#define SHOWN_MAX 160

typedef struct Complaint {
        LintFinding finding;
        Failure *failure;
} Complaint;

/* Makes the failure and returns 1, for a check to return, or -ENOMEM. A NULL `hint` leaves the usual one of
 * the reason. */
static int _printf_(5, 6) complain(Complaint *reterr, LintFinding finding, Reason reason, const char *hint,
                                   const char *format, ...) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *message = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&message, format, ap);
        va_end(ap);
        if (r < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = failure_new(&f, STEP_IDENTITY, reason, "%s", message);
        if (r >= 0 && hint)
                r = failure_set_hint(f, "%s", hint);
        if (r < 0)
                return r;
        *reterr = (Complaint){ finding, TAKE_PTR(f) };
        return 1;
}

/* A claim for a message. */
static int show(const char *claim, char **ret) {
        return text_clean(claim, strlen(claim), SHOWN_MAX, ret);
}

/* What people put in the place of a JWT. */
static int check_form(const char *raw, size_t size, Complaint *reterr) {
        if (size == 0)
                return complain(reterr, LINT_EMPTY, REASON_TOKEN_EMPTY, NULL,
                                "The identity's token is empty");
        if (raw[0] == '{')
                return complain(reterr, LINT_MALFORMED, REASON_TOKEN_MALFORMED,
                                "Take the token out of the JSON document: the source must give the JWT "
                                "and nothing else",
                                "The identity's token is a JSON document instead of a JWT");
        for (size_t i = 0; i < size; i++)
                if ((uint8_t) raw[i] <= ' ')
                        return complain(
                                reterr, LINT_MALFORMED, REASON_TOKEN_MALFORMED,
                                "Let the source give the JWT in one line and nothing else, without 'Bearer'",
                                "The identity's token has blanks or line breaks in it, so it is no JWT");
        return 0;
}

static int check_size(size_t size, Complaint *reterr) {
        if (size <= LINT_TOKEN_MAX)
                return 0;
        return complain(reterr, LINT_TOO_LONG, REASON_TOKEN_TOO_LONG, NULL,
                        "The identity's token has %zu bytes, more than the %d that fit into a request", size,
                        LINT_TOKEN_MAX);
}

/* Whatever it is used for. */
static int check_signature(const char *raw, size_t size, Complaint *reterr) {
        if (raw[size - 1] != '.')
                return 0;
        return complain(reterr, LINT_MALFORMED, REASON_TOKEN_MALFORMED, NULL,
                        "The signature of the identity's token is missing, as if its end were cut off");
}

static int check_header(const JwtClaims *c, const char *raw, size_t size, Complaint *reterr) {
        static const char rsa[] =
                "Let the issuer sign with an RSA key and RS256 or RS384, the only algorithms that "
                "Quay takes (SPIRE: jwt_key_type = \"rsa-2048\" in the server's configuration)";
        _cleanup_free_ char *alg = NULL;
        int r;

        if (!c->alg)
                return complain(reterr, LINT_ALGORITHM, REASON_TOKEN_ALGORITHM, rsa,
                                "The header of the identity's token names no algorithm ('alg')");
        if (!streq(c->alg, "RS256") && !streq(c->alg, "RS384")) {
                r = show(c->alg, &alg);
                if (r < 0)
                        return r;
                return complain(reterr, LINT_ALGORITHM, REASON_TOKEN_ALGORITHM, rsa,
                                "The identity's token is signed with '%s' ('alg'), which Quay does "
                                "not take",
                                alg);
        }
        r = check_signature(raw, size, reterr);
        if (r != 0)
                return r;
        if (!c->kid)
                return complain(
                        reterr, LINT_NO_KEY_ID, REASON_TOKEN_CLAIM_MISSING,
                        "Let the issuer put the name of its signing key into the header as a string, 'kid'",
                        "The header of the identity's token does not name the signing key ('kid')");
        return 0;
}

static bool host_ends_with(const char *host, size_t n, const char *domain) {
        size_t m = strlen(domain);

        return n >= m && strncasecmp(host + n - m, domain, m) == 0 && (n == m || host[n - m - 1] == '.');
}

bool lint_issuer_is_internal(const char *issuer) {
        static const char *const domains[] = { "svc", "cluster.local" };
        const char *host = startswith(issuer, "https://");
        size_t n = host ? strcspn(host, ":/?#") : 0;

        for (size_t i = 0; i < ELEMENTSOF(domains); i++)
                if (n > 0 && host_ends_with(host, n, domains[i]))
                        return true;
        return false;
}

static int check_issuer(const JwtClaims *c, Complaint *reterr) {
        static const char https[] = "https://";
        _cleanup_free_ char *iss = NULL;
        const char *host;
        int r;

        if (!c->iss)
                return complain(
                        reterr, LINT_NO_ISSUER, REASON_TOKEN_CLAIM_MISSING,
                        "Let the issuer put its own https:// address into the token as a string, 'iss'",
                        "The identity's token does not name its issuer ('iss')");
        host = startswith(c->iss, https);
        if (host && host[0] != '\0' && host[0] != '/')
                return 0;
        r = show(c->iss, &iss);
        if (r < 0)
                return r;
        return complain(reterr, LINT_ISSUER, REASON_TOKEN_ISSUER, NULL,
                        "The issuer of the identity's token ('iss') is '%s', which is no "
                        "https:// address",
                        iss);
}

static int check_subject(const JwtClaims *c, Complaint *reterr) {
        static const char hint[] =
                "Let the issuer put a 'sub' into the token, as a string: the one that stands in the "
                "robot account's federation";

        if (c->sub)
                return 0;
        return complain(reterr, LINT_NO_SUBJECT, REASON_TOKEN_CLAIM_MISSING, hint,
                        c->sub_present ? "The subject of the identity's token ('sub') is not a string"
                                       : "The identity's token has no subject ('sub')");
}

static int check_dates_present(const JwtClaims *c, LintUse use, Complaint *reterr) {
        static const char hint[] =
                "Let the issuer put 'iat' and 'exp' into the token, as numbers of seconds since 1970";

        if (!c->has_iat && use == LINT_QUAY)
                return complain(reterr, LINT_NO_DATES, REASON_TOKEN_CLAIM_MISSING, hint,
                                c->iat_malformed
                                        ? "The time of issue in the identity's token ('iat') is not a number"
                                        : "The identity's token has no time of issue ('iat')");
        if (!c->has_exp && use != LINT_SUBJECT)
                return complain(reterr, LINT_NO_DATES, REASON_TOKEN_CLAIM_MISSING, hint,
                                c->exp_malformed ? "The end of the identity's token ('exp') is not a number"
                                                 : "The identity's token has no end ('exp')");
        return 0;
}

static int check_audience(const JwtClaims *c, const char *audience, Complaint *reterr) {
        _cleanup_free_ char *all = NULL, *shown = NULL, *wanted = NULL, *hint = NULL;
        int r;

        if (!audience || jwt_has_audience(c, audience))
                return 0;
        r = show(audience, &wanted);
        if (r >= 0)
                r = text_format(
                        &hint,
                        "Request the token for the audience '%s', or correct Audience= of the identity",
                        wanted);
        if (r < 0)
                return r;
        if (!c->aud)
                return complain(reterr, LINT_AUDIENCE, REASON_TOKEN_CLAIM_MISSING, hint,
                                "The identity's token has no audience ('aud') and is to have '%s'", wanted);
        r = strv_join(c->aud, ", ", &all);
        if (r >= 0)
                r = show(all, &shown);
        if (r < 0)
                return r;
        return complain(reterr, LINT_AUDIENCE, REASON_TOKEN_AUDIENCE, hint,
                        "The identity's token is meant for '%s' ('aud') and not for '%s'", shown, wanted);
}

static int check_expiry(const JwtClaims *c, usec_t now, Complaint *reterr) {
        int64_t seconds = (int64_t) (now / USEC_PER_SEC), leeway = (int64_t) (LINT_LEEWAY / USEC_PER_SEC);
        char ago[SPAN_MAX];

        if (!c->has_exp || c->exp > seconds - leeway)
                return 0;
        return complain(reterr, LINT_EXPIRED, REASON_TOKEN_EXPIRED, NULL,
                        "The identity's token ended %s ago ('exp')",
                        format_span(ago, now - (usec_t) (c->exp > 0 ? c->exp : 0) * USEC_PER_SEC));
}

static int check_for_quay(const JwtClaims *c, const char *raw, size_t size, Complaint *reterr) {
        int r;

        r = check_header(c, raw, size, reterr);
        if (r == 0)
                r = check_issuer(c, reterr);
        return r == 0 ? check_subject(c, reterr) : r;
}

static int check(const LintQuestion *q, const JwtClaims *c, const char *raw, size_t size,
                 Complaint *reterr) {
        int r;

        r = check_size(size, reterr);
        if (r == 0)
                r = q->use == LINT_QUAY ? check_for_quay(c, raw, size, reterr)
                                        : check_signature(raw, size, reterr);
        if (r == 0)
                r = check_dates_present(c, q->use, reterr);
        if (r == 0)
                r = check_audience(c, q->audience, reterr);
        if (r == 0 && q->clock_trusted)
                r = check_expiry(c, q->now, reterr);
        return r;
}

static int look(const LintQuestion *q, const char *raw, size_t size, JwtClaims **ret_claims,
                Complaint *reterr) {
        _cleanup_jwt_ JwtClaims *c = NULL;
        const char *what;
        int r;

        r = check_form(raw, size, reterr);
        if (r != 0)
                return r;
        r = jwt_parse(raw, size, &c, &what);
        if (r == -EFBIG)
                return check_size(size, reterr);
        if (r == -EBADMSG)
                return complain(reterr, LINT_MALFORMED, REASON_TOKEN_MALFORMED, NULL,
                                "The identity's token is not a JWT: %s", what);
        if (r < 0)
                return r;
        r = check(q, c, raw, size, reterr);
        if (r >= 0)
                *ret_claims = TAKE_PTR(c);
        return r;
}

int lint_token(const LintQuestion *q, const char *raw, size_t size, JwtClaims **ret_claims,
               LintFinding *reterr_finding, Failure **reterr_failure) {
        Complaint complaint = {};
        int r;

        r = look(q, raw, size, ret_claims, &complaint);
        if (r > 0) {
                *reterr_finding = complaint.finding;
                *reterr_failure = complaint.failure;
        }
        return r;
}
