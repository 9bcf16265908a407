/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* identity → lint → exchange → verification, each started by the end of the one before, all within one
 * deadline.
 *
 * Owns the request, the identity and the credential of this one attempt, and erases them with it. Whatever
 * ends the attempt goes through end(), which stops what is still under way; the handler is told by the event
 * loop, so that it may free everything.
 *
 * Does not try anything twice, and publishes nothing that the registry's own token endpoint does not
 * take. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/scalar.h"
#include "base/text.h"
#include "model/lint.h"
#include "worker/exchange/exchanges.h"
#include "worker/identity/sources.h"
#include "worker/notice.h"
#include "worker/obtain.h"
#include "worker/verification.h"

/* 2026-01-01: this program is younger than that, so is every moment at which it runs. */
#define CLOCK_SANE (UINT64_C(1767225600) * USEC_PER_SEC)
/* Our deadline comes before libcurl's, for it knows which step it ends. */
#define TIMEOUT_SLACK (1 * USEC_PER_SEC)
/* Quay refuses identities whose dates are further off than this. */
#define SKEW_WORTH_SAYING ((int64_t) (30 * USEC_PER_SEC))
#define AUDIENCES_MAX 64

struct Obtain {
        const WorkerContext *context;
        Http *http;
        Request *request;
        Answer *answer;
        FailureStep step;
        usec_t step_started, deadline_boot, lifetime; /* of the credential */
        sd_event_source *deadline, *finish;
        const IdentitySourceType *source;
        void *source_run;
        Secret *token;
        JwtClaims *claims;
        const Exchange *exchange;
        void *exchange_run;
        Credential *credential;
        Verification *verification;
        ObtainHandler handler;
        void *userdata;
};

static void stop_steps(Obtain *o) {
        if (o->source)
                o->source->free(o->source_run);
        o->source_run = NULL;
        if (o->exchange)
                o->exchange->free(o->exchange_run);
        o->exchange_run = NULL;
        o->verification = verification_free(o->verification);
}

Obtain *obtain_free(Obtain *o) {
        if (!o)
                return NULL;
        stop_steps(o);
        o->http = http_pool_give_back(o->context->pool, o->http);
        sd_event_source_disable_unref(o->deadline);
        sd_event_source_disable_unref(o->finish);
        request_free(o->request);
        answer_free(o->answer);
        secret_free(o->token);
        jwt_claims_free(o->claims);
        credential_free(o->credential);
        free(o);
        return NULL;
}

static usec_t *step_time(Obtain *o) {
        switch (o->step) {
        case STEP_IDENTITY:
                return &o->answer->identity_usec;
        case STEP_EXCHANGE:
                return &o->answer->exchange_usec;
        case STEP_VERIFICATION:
                return &o->answer->verification_usec;
        case STEP_CONFIGURATION:
        case STEP_PUBLICATION:
        case _STEP_MAX:
        case _STEP_INVALID:
                break;
        }
        return NULL;
}

static void enter(Obtain *o, FailureStep step) {
        usec_t now = now_boot(), *time = step_time(o);

        if (time && o->step_started > 0)
                *time = usec_sub(now, o->step_started);
        o->step = step;
        o->step_started = now;
}

static int on_finish(sd_event_source *source, void *userdata) {
        Obtain *o = userdata;

        o->handler(o, o->answer, o->userdata);
        return 0;
}

/* Where people look for a step of ours. */
static TraceStep trace_step(const Obtain *o) {
        switch (o->step) {
        case STEP_IDENTITY:
                return o->token ? TRACE_CLAIMS : TRACE_TOKEN;
        case STEP_EXCHANGE:
                return TRACE_EXCHANGE;
        case STEP_VERIFICATION:
                return TRACE_VERIFICATION;
        case STEP_CONFIGURATION:
        case STEP_PUBLICATION:
        case _STEP_MAX:
        case _STEP_INVALID:
                break;
        }
        return TRACE_TOKEN;
}

/* Short of memory a trace has gaps; what it is about goes on. */
static void _printf_(4, 5) trace(Obtain *o, TraceStep step, usec_t usec, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        if (o->request->kind != REQUEST_TEST)
                return;
        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        if (text)
                (void) trace_add(&o->answer->trace, step, TRACE_OK, usec, "%s", text);
}

/* Told late, for an exchange that asks nobody leaves the way to the registry to the verification. */
static void trace_exchange(Obtain *o) {
        char span[SPAN_MAX];

        if (o->step == STEP_VERIFICATION && o->exchange && !trace_has_failed(&o->answer->trace))
                trace(o, TRACE_EXCHANGE, o->answer->exchange_usec, "%s gave a credential that lives %s",
                      o->exchange->giver ?: o->request->registry, format_span(span, o->lifetime));
}

static void trace_end(Obtain *o, const Failure *failure) {
        if (o->request->kind != REQUEST_TEST)
                return;
        trace_exchange(o);
        if (failure && !trace_has_failed(&o->answer->trace))
                (void) trace_add(&o->answer->trace, trace_step(o), TRACE_FAILED,
                                 usec_sub(now_boot(), o->step_started), "%s", failure->message);
        (void) trace_fill(&o->answer->trace, TRACE_VERIFICATION);
}

/* Consumes `failure`; without one the credential is the answer, if one was asked for. */
static void end(Obtain *o, Failure *failure) {
        char span[SPAN_MAX];

        (void) sd_event_source_set_enabled(o->deadline, SD_EVENT_OFF);
        trace_end(o, failure);
        enter(o, o->step);
        if (failure)
                o->answer->failure = failure;
        else if (o->request->kind == REQUEST_OBTAIN)
                o->answer->credential = TAKE_PTR(o->credential);
        else
                o->answer->well = true;
        stop_steps(o);
        log_debug("Request %" PRIu64 " of job '%s' ended in step %s after %s: %s", o->request->id,
                  strempty(o->request->job), failure_step_to_string(o->step),
                  format_span(span, usec_sub(now_boot(), usec_sub(o->deadline_boot, o->request->timeout))),
                  failure ? reason_to_string(failure->reason) : "credential");
        (void) sd_event_source_set_enabled(o->finish, SD_EVENT_ONESHOT);
}

static void end_with_errno(Obtain *o, int error) {
        Failure *f = NULL;

        (void) failure_new(&f, o->step, REASON_INTERNAL, "The worker could not go on: %s",
                           strerrordesc_np(-error) ?: "unknown error");
        o->credential = credential_free(o->credential);
        end(o, f);
}

/* What every step's handler begins with: true if the step was a success. */
static bool goes_on(Obtain *o, int r, Failure *failure) {
        if (r < 0)
                end_with_errno(o, r);
        else if (r > 0)
                end(o, failure);
        return r == 0;
}

/* Behind the identity the exchange knows what to do; where a failure says so itself, that is more exact. */
static int advise_behind(const Obtain *o, int r, Failure **failure) {
        const char *hint = r > 0 && o->exchange->advise && !(*failure)->hint
                                   ? o->exchange->advise((*failure)->reason)
                                   : NULL;

        if (!hint || failure_set_hint(*failure, "%s", hint) >= 0)
                return r;
        *failure = failure_free(*failure);
        return -ENOMEM;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Obtain *o = userdata;
        const char *giver = o->step == STEP_EXCHANGE ? o->exchange->giver : NULL;
        bool identity = o->step == STEP_IDENTITY;
        char span[SPAN_MAX];
        Failure *f = NULL;

        o->credential = credential_free(o->credential);
        (void) failure_new(&f, o->step, REASON_TIMEOUT, "No answer of %s within %s",
                           identity ? "the source of the identity" : giver ?: o->request->registry,
                           format_span(span, o->request->timeout));
        if (f && identity)
                (void) failure_set_hint(f,
                                        "Check that the source '%s' of the identity is well, and that this "
                                        "host reaches it",
                                        o->request->source);
        else if (f && giver)
                (void) failure_set_hint(f, "Check that %s is well, and that this host reaches it", giver);
        else if (f)
                (void) advise_behind(o, 1, &f);
        end(o, f);
        return 0;
}

static usec_t since_step(const Obtain *o) {
        return usec_sub(now_boot(), o->step_started);
}

static int say_skew(Obtain *o) {
        int64_t skew = o->answer->skew_usec;
        char span[SPAN_MAX];

        if (!o->answer->skew_known || (skew >= -SKEW_WORTH_SAYING && skew <= SKEW_WORTH_SAYING))
                return 0;
        return notice_add(&o->answer->notices, "The clock of %s is %s %s that of this host",
                          o->request->registry, format_span(span, (usec_t) (skew < 0 ? -skew : skew)),
                          skew < 0 ? "behind" : "ahead of");
}

static void on_verified(int r, Failure *failure, void *userdata) {
        Obtain *o = userdata;

        o->verification = verification_free(o->verification);
        (void) say_skew(o);
        if (!goes_on(o, advise_behind(o, r, &failure), failure))
                return;
        trace_exchange(o);
        trace(o, TRACE_VERIFICATION, since_step(o), "the token endpoint of %s takes the credential",
              o->request->registry);
        end(o, NULL);
}

static usec_t remaining(const Obtain *o) {
        return usec_add(usec_sub(o->deadline_boot, now_boot()), TIMEOUT_SLACK);
}

static void on_exchanged(int r, Credential *credential, Failure *failure, void *userdata) {
        Obtain *o = userdata;

        o->exchange->free(o->exchange_run);
        o->exchange_run = NULL;
        o->credential = credential;
        (void) say_skew(o);
        if (!goes_on(o, advise_behind(o, r, &failure), failure))
                return;
        o->lifetime = credential_lifetime(o->credential);
        enter(o, STEP_VERIFICATION);
        r = verification_start(
                &(VerificationQuestion){
                        .http = o->http,
                        .request = o->request,
                        .credential = o->credential,
                        .timeout = remaining(o),
                        .answer = o->answer,
                },
                on_verified, o, &o->verification);
        if (r < 0)
                end_with_errno(o, r);
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int take_http(Obtain *o, Failure **reterr) {
        const Request *q = o->request;
        int r;

        r = http_pool_take(
                o->context->pool,
                &(HttpTrust){ .ca = q->ca, .ca_size = strlen(strempty(q->ca)), .proxy = q->proxy },
                &o->http);
        if (r != -EINVAL)
                return r;
        r = failure_new(reterr, STEP_CONFIGURATION, REASON_CONFIGURATION_INVALID,
                        "The address of the proxy is neither http:// nor https://");
        return r < 0 ? r : 1;
}

static void start_exchange(Obtain *o) {
        Failure *f = NULL;
        int r;

        enter(o, STEP_EXCHANGE);
        r = take_http(o, &f);
        if (!goes_on(o, r, f))
                return;
        r = o->exchange->start(
                &(ExchangeQuestion){
                        .context = o->context,
                        .http = o->http,
                        .request = o->request,
                        .token = o->token,
                        .claims = o->claims,
                        .timeout = remaining(o),
                        .answer = o->answer,
                },
                on_exchanged, o, &o->exchange_run);
        if (r < 0)
                end_with_errno(o, r);
}

static int show_text(const char *s, char **ret) {
        return s ? text_clean(s, strlen(s), FAILURE_TEXT_MAX, ret) : 0;
}

static int show_claims(const JwtClaims *c, IdentityClaims **ret) {
        _cleanup_(identity_claims_freep) IdentityClaims *k = NULL;
        int r;

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        k->issued = c->has_iat ? c->iat : 0;
        k->expires = c->has_exp ? c->exp : 0;
        r = show_text(c->iss, &k->issuer);
        if (r >= 0)
                r = show_text(c->sub, &k->subject);
        if (r >= 0)
                r = show_text(c->alg, &k->algorithm);
        if (r >= 0)
                r = show_text(c->kid, &k->key_id);
        for (size_t i = 0; r >= 0 && c->aud && c->aud[i] && i < AUDIENCES_MAX; i++) {
                char *s = NULL;

                r = show_text(c->aud[i], &s);
                if (r >= 0)
                        r = strv_consume(&k->audience, s);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(k);
        return 0;
}

/* Whoever the token comes from may know better than the general hint what to change. */
static int advise(const Obtain *o, LintFinding finding, Failure *f) {
        const char *hint = o->source->remedies[finding];

        return hint ? failure_set_hint(f, "%s", hint) : 0;
}

static void on_identity(int r, Secret *token, Failure *failure, void *userdata) {
        Obtain *o = userdata;
        LintUse use = o->exchange ? o->exchange->use : LINT_QUAY;
        usec_t now = now_real();
        LintFinding finding;
        struct iovec bytes;
        Failure *f = NULL;

        o->source->free(o->source_run);
        o->source_run = NULL;
        if (!goes_on(o, r, failure))
                return;
        o->token = token;
        trace(o, TRACE_TOKEN, since_step(o), "from the source '%s'", o->request->source);
        secret_cut_blanks(o->token);
        bytes = secret_peek(o->token);
        r = lint_token(
                &(LintQuestion){
                        .use = use,
                        .audience = o->request->audience,
                        .now = now,
                        .clock_trusted = now >= CLOCK_SANE,
                },
                bytes.iov_base, bytes.iov_len, &o->claims, &finding, &f);
        if (r > 0 && advise(o, finding, f) < 0) {
                failure_free(f);
                r = -ENOMEM;
        }
        if (r >= 0 && o->claims && show_claims(o->claims, &o->answer->claims) < 0) {
                failure_free(f);
                end_with_errno(o, -ENOMEM);
                return;
        }
        if (!goes_on(o, r, f))
                return;
        if (o->claims)
                trace(o, TRACE_CLAIMS, 0, "issuer %s, subject %s", strempty(o->claims->iss),
                      strempty(o->claims->sub));
        if (o->claims && use == LINT_QUAY && lint_issuer_is_internal(strempty(o->claims->iss)))
                (void) notice_add(
                        &o->answer->notices,
                        "The issuer of this host's token, '%s', is an address inside of a cluster: "
                        "a registry elsewhere cannot ask it, until the cluster has another issuer",
                        o->claims->iss);
        if (o->request->kind == REQUEST_EXPLAIN)
                end(o, NULL);
        else
                start_exchange(o);
}

static void start_identity(Obtain *o) {
        Failure *f = NULL;
        int r;

        enter(o, STEP_IDENTITY);
        o->source = identity_source_find(o->request->source);
        o->exchange = exchange_find(strempty(o->request->exchange));
        if (!o->source || (!o->exchange && o->request->kind != REQUEST_EXPLAIN)) {
                (void) failure_new(&f, STEP_CONFIGURATION, REASON_CONFIGURATION_INVALID,
                                   "This worker knows nothing called '%s'; is it older than the daemon?",
                                   o->source ? o->request->exchange : o->request->source);
                end(o, f);
                return;
        }
        r = o->source->start(
                &(SourceQuestion){
                        .context = o->context,
                        .request = o->request,
                        .timeout = remaining(o),
                        .answer = o->answer,
                },
                on_identity, o, &o->source_run);
        if (r < 0)
                end_with_errno(o, r);
}

static int add_sources(Obtain *o) {
        int r;

        r = sd_event_add_time_relative(o->context->event, &o->deadline, CLOCK_BOOTTIME, o->request->timeout,
                                       USEC_PER_MSEC, on_deadline, o);
        if (r >= 0)
                r = sd_event_add_defer(o->context->event, &o->finish, on_finish, o);
        if (r >= 0)
                r = sd_event_source_set_enabled(o->finish, SD_EVENT_OFF);
        return r;
}

int obtain_new(const WorkerContext *context, Request *request, ObtainHandler handler, void *userdata,
               Obtain **ret) {
        _cleanup_(obtain_freep) Obtain *o = NULL;
        int r;

        o = calloc(1, sizeof(*o));
        if (!o) {
                request_free(request);
                return -ENOMEM;
        }
        o->context = context;
        o->request = request;
        o->handler = handler;
        o->userdata = userdata;
        o->deadline_boot = usec_add(now_boot(), request->timeout);
        o->answer = calloc(1, sizeof(*o->answer));
        if (!o->answer)
                return -ENOMEM;
        r = add_sources(o);
        if (r < 0)
                return r;
        start_identity(o);
        *ret = TAKE_PTR(o);
        return 0;
}
