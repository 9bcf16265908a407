/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what a token service says to a token exchange.
 *
 * Owns the sentences about it: the service is neither the registry nor the source of the identity, so what
 * to do is said for it alone, and names the section [Exchange] of the job. */

#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "codec/jwt.h"
#include "worker/exchange/oauth2-answer.h"
#include "worker/exchange/token-life.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"
#include "worker/token-document.h"

#define CODE_MAX 64

/* What to do, between two halves of a sentence the name of the server. */
static const struct {
        Reason reason;
        const char *before, *after;
} hints[] = {
        { REASON_NAME_RESOLUTION, "Check the name in '", "' as section [Exchange] of the job has it" },
        { REASON_CONNECTION_FAILED, "Check that this host may reach ",
          " (route, firewall, Proxy= in [Exchange])" },
        { REASON_CONNECTION_LOST, "Check that ", " is well, and the network between it and this host" },
        { REASON_TIMEOUT, "Check that ", " is well, and the network between it and this host" },
        { REASON_REGISTRY_CLOSED, "Check that ", " is well, and the network between it and this host" },
        { REASON_TLS_UNTRUSTED, "Name the file with the certificate authority of ",
          " in CAFile= of section [Exchange], or add it to the trust store of this host" },
        { REASON_TLS_HOST_MISMATCH, "Use a name in section [Exchange] that stands in the certificate of ",
          "" },
        { REASON_TLS_FAILED, "Check that ",
          " speaks TLS 1.2 or newer on this port, and whether it wants a certificate of this host" },
        { REASON_TLS_CERTIFICATE_DATES,
          "Check the clock of this host first ('timedatectl'), then the dates of the certificate of ", "" },
        { REASON_RATE_LIMITED, "Wait; if it lasts, ask the administrator of ", " for its limits" },
        { REASON_REGISTRY_ERROR, "Ask the administrator of ", " if it lasts; its own log says why" },
        { REASON_REGISTRY_READ_ONLY, "Wait until the maintenance of ", " is over" },
        { REASON_REGISTRY_REDIRECTED, "Put the final address of ", " into section [Exchange] of the job" },
        { REASON_NOT_FOUND,
          "Check TokenEndpoint= or Issuer= in section [Exchange] of the job: ", " has nothing there" },
        { REASON_ANSWER_MALFORMED,
          "Check TokenEndpoint= or Issuer= in section [Exchange] of the job, and that ",
          " is a token service and no portal in its place" },
        { REASON_ANSWER_TOO_LARGE,
          "Check TokenEndpoint= or Issuer= in section [Exchange] of the job, and that ",
          " is a token service and no portal in its place" },
        { REASON_TOKEN_NOT_USABLE, "Check the clock of ", "" },
        { REASON_REJECTED, "Check section [Exchange] of the job; the words of ", " say more" },
        { REASON_IDENTITY_REJECTED, "Check that ",
          " trusts the issuer and the subject of this host's token, the audience in it, and "
          "SubjectTokenType= in section [Exchange]" },
};

static int advise(const Oauth2Question *q, Failure *f) {
        for (size_t i = 0; i < ELEMENTSOF(hints) && !f->hint; i++)
                if (hints[i].reason == f->reason)
                        return failure_set_hint(f, "%s%s%s", hints[i].before, q->server, hints[i].after);
        return 0;
}

/* The codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2. The latter has a wrong subject token as
 * invalid_request, many services as invalid_grant. */
static const struct {
        const char *code;
        Reason reason;
        const char *what; /* "SERVER …" */
        const char *hint; /* NULL: that of the reason */
} codes[] = {
        { "invalid_grant", REASON_IDENTITY_REJECTED, "does not take the token of this host", NULL },
        { "invalid_request", REASON_IDENTITY_REJECTED, "does not take the token of this host", NULL },
        { "unauthorized_client", REASON_REJECTED, "allows this client no token exchange",
          "Allow the client in ClientID= of section [Exchange] the token exchange (RFC 8693)" },
        { "unsupported_grant_type", REASON_REJECTED, "does no token exchange",
          "Switch token exchange (RFC 8693) on at the service, or name another one in section [Exchange]" },
        { "invalid_target", REASON_REJECTED, "gives no token for what was asked for",
          "Correct Audience= and Resource= in section [Exchange] of the job, or allow them to this client" },
        { "invalid_scope", REASON_REJECTED, "gives no token of this scope",
          "Correct Scope= in section [Exchange] of the job, or allow it to this client" },
};

/* Of the answer itself, for its words are dropped as a whole if they repeat a secret. Returns 0 with *ret
 * NULL if there is none. */
static int read_code(const HttpAnswer *a, char **ret) {
        _cleanup_json_erase_ json_object *o = NULL;
        struct iovec body = secret_peek(a->body);
        const char *code;
        int r;

        *ret = NULL;
        r = json_parse(body.iov_base, body.iov_len, &o, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!json_object_is_type(o, json_type_object) || json_get_string(o, "error", &code) <= 0)
                return 0;
        return text_clean(code, strlen(code), CODE_MAX, ret);
}

static int new_of_code(const Oauth2Question *q, const char *code, Failure **ret) {
        int r = 0;

        if (streq(code, "invalid_client")) {
                r = failure_new(ret, STEP_EXCHANGE, REASON_REJECTED, "%s does not know this client",
                                q->server);
                return r < 0 ? r
                             : failure_set_hint(
                                       *ret,
                                       "Check ClientID= in section [Exchange], that its secret or key has "
                                       "not been replaced or has expired, and how the service wants it "
                                       "(it names: %s)",
                                       q->authentication ?: "nothing");
        }
        for (size_t i = 0; i < ELEMENTSOF(codes) && !*ret && r >= 0; i++) {
                if (!streq(code, codes[i].code))
                        continue;
                r = failure_new(ret, STEP_EXCHANGE, codes[i].reason, "%s %s", q->server, codes[i].what);
                if (r >= 0 && codes[i].hint)
                        r = failure_set_hint(*ret, "%s", codes[i].hint);
        }
        return r;
}

int oauth2_refusal_read(const Oauth2Question *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_(words_done) Words w = {};
        _cleanup_free_ char *code = NULL;
        int r;

        r = words_read(a, q->sent, q->n_sent, &w);
        if (r >= 0)
                r = read_code(a, &code);
        if (r >= 0 && a->status >= 400 && a->status < 500 && a->status != 429)
                r = new_of_code(q, strempty(code), &f);
        if (r >= 0 && f)
                r = http_failure_complete(f, a, &w);
        else if (r >= 0)
                r = http_failure_of_status(a, STEP_EXCHANGE, q->server, &w, &f);
        if (r >= 0)
                r = advise(q, f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int oauth2_refusal_of_problem(const Oauth2Question *q, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = http_failure_of_problem(a, STEP_EXCHANGE, q->server, &f);
        if (r >= 0)
                r = advise(q, f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

int oauth2_refusal_of_discovery(const Oauth2Question *q, Failure *f) {
        bool other = f->reason == REASON_IDENTITY_SOURCE_REFUSED;

        f->step = STEP_EXCHANGE;
        f->reason = other ? REASON_REJECTED : REASON_ANSWER_MALFORMED;
        if (other)
                return failure_set_hint(
                        f, "Write into Issuer= of section [Exchange] what the document calls itself, to "
                           "the last character (a trailing '/' counts), if that is the one you mean");
        return failure_set_hint(
                f,
                "Check Issuer= in section [Exchange] of the job, and that no portal answers in "
                "the place of %s",
                q->server);
}

/* Returns 1 with *reterr, or -ENOMEM. */
static int malformed(const Oauth2Question *q, const HttpAnswer *a, const char *what, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = failure_new(&f, STEP_EXCHANGE, REASON_ANSWER_MALFORMED,
                        "%s answered the exchange with success, but %s", q->server, what);
        if (r >= 0)
                r = http_failure_complete(f, a, NULL);
        if (r >= 0)
                r = advise(q, f);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* Returns 0, 1 with *reterr, -ENOMEM. */
static int read_token(const Oauth2Question *q, const HttpAnswer *a, Secret **ret, int64_t *ret_seconds,
                      Failure **reterr) {
        _cleanup_json_erase_ json_object *o = NULL;
        uint64_t seconds;
        const char *what;
        int r;

        r = token_member_read(a->body, NULL, "access_token", ret, &o, &what);
        if (r < 0)
                return r == -ENOMEM ? r : malformed(q, a, what, reterr);
        *ret_seconds =
                json_get_u64(o, "expires_in", &seconds) > 0 && seconds <= INT64_MAX ? (int64_t) seconds : 0;
        return 0;
}

int oauth2_answer_read(const Oauth2Question *q, const HttpAnswer *a, Credential **ret, Failure **reterr,
                       char ***notices) {
        _cleanup_jwt_ JwtClaims *claims = NULL;
        _cleanup_secret_ Secret *token = NULL;
        int64_t seconds = 0;
        struct iovec bytes;
        usec_t date;
        int r;

        r = read_token(q, a, &token, &seconds, reterr);
        if (r != 0)
                return r;
        bytes = secret_peek(token);
        r = jwt_parse(bytes.iov_base, bytes.iov_len, &claims, &(const char *){ 0 });
        if (r == -ENOMEM)
                return r;
        if (!a->date || http_date_parse(a->date, &date) < 0)
                date = q->now;
        r = token_life_credential(
                &(TokenLife){
                        .user = q->user,
                        .token = token,
                        .claims = claims,
                        .giver = q->server,
                        .expires_in = seconds,
                        .now = (int64_t) (date / USEC_PER_SEC),
                        .obtained_boot = a->started_boot,
                },
                ret, reterr, notices);
        return r > 0 && advise(q, *reterr) < 0 ? -ENOMEM : r;
}
