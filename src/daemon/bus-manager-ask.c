/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ExplainIdentity and TestJob: questions that the worker answers, for a caller who waits.
 *
 * Owns the question under way and its answer. Neither changes anything: no state, no schedule, no
 * counter, no target; a credential that a test obtained ended in the worker. Holds no job and no
 * identity: when the answer comes, what it is about is looked up again by its name. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"
#include "daemon/job-request.h"
#include "daemon/local-secret.h"
#include "daemon/manager-preview.h"
#include "model/name.h"

/* The worker ends a request itself; this is for one that does not. */
#define PATIENCE (REQUEST_TIMEOUT + 10 * USEC_PER_SEC)

typedef struct Ask {
        const BusContext *context;
        char *name; /* of the job or the identity */
        WaitingStep finish;
        WaitingCall *waiting;
        Request *request; /* until its turn comes */
        WorkerCall *call;
        Answer answer;
} Ask;

static void answer_done(Answer *a) {
        credential_free(a->credential);
        failure_free(a->failure);
        identity_claims_free(a->claims);
        free(a->discovery);
        free(a->key_set);
        strv_free(a->notices);
        trace_done(&a->trace);
        *a = (Answer){};
}

static void ask_free(void *userdata) {
        Ask *a = userdata;

        worker_call_free(a->call);
        request_free(a->request);
        answer_done(&a->answer);
        free(a->name);
        free(a);
}

/* Made already, so that a caller hears at once of what is wrong here. */
static int hand_over(void *userdata, Request **ret, Failure **reterr_failure) {
        Ask *a = userdata;

        *ret = TAKE_PTR(a->request);
        return 0;
}

static void on_answer(WorkerCall *call, Answer *answer, void *userdata) {
        Ask *a = userdata;

        a->answer = *answer;
        *answer = (Answer){};
        waiting_call_step(a->waiting, a->finish);
}

/* Consumes `q`. */
static int ask_worker(Ask *a, WaitingCall *c, Request *q) {
        const WorkerClient client = { .request = hand_over, .answer = on_answer, .userdata = a };

        a->waiting = c;
        a->request = q;
        return manager_ask(a->context->manager, &client, &a->call);
}

static int late(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, SD_BUS_ERROR_TIMEOUT,
                                "The worker gave no answer, see 'systemctl status pullauth-worker.service'");
}

static int wait_for(const BusContext *b, sd_bus_message *m, const char *name, const WaitingKind *kind,
                    WaitingStep finish, sd_bus_error *reterror) {
        Ask *a;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->context = b;
        a->finish = finish;
        a->name = strdup(name);
        if (!a->name) {
                free(a);
                return -ENOMEM;
        }
        return waiting_add(b->waiting, m, PATIENCE, kind, a, reterror);
}

/* --- ExplainIdentity --- */

static const IdentityDefinition *find_identity(const BusContext *b, const char *name) {
        const Configuration *c = manager_configuration(b->manager);

        for (size_t i = 0; c && i < c->n_identities; i++)
                if (streq(c->identities[i].config->name, name))
                        return c->identities + i;
        return NULL;
}

/* Returns 0, or sets the error. */
static int get_identity(const BusContext *b, const char *name, const IdentityConfig **ret,
                        sd_bus_error *reterror) {
        const IdentityDefinition *d = find_identity(b, name);

        if (!d)
                return bus_error(
                        reterror, API_ERROR_NO_SUCH_IDENTITY,
                        "There is no identity '%s', make /etc/pullauth/identities/%s.identity and run "
                        "'pullauthctl reload'",
                        name, name);
        for (size_t i = 0; i < d->conf->n_messages; i++) {
                const ConfMessage *m = d->conf->messages + i;
                _cleanup_free_ char *text = NULL, *clean = NULL;
                int r;

                if (m->severity != CONF_ERROR)
                        continue;
                r = conf_message_format(m, &text);
                if (r >= 0)
                        r = text_clean(text, strlen(text), FAILURE_TEXT_MAX, &clean);
                return r < 0 ? r : bus_error(reterror, API_ERROR_CONFIGURATION_INVALID, "%s", clean);
        }
        *ret = d->config;
        return 0;
}

static int refuse_failure(const Failure *f, sd_bus_error *reterror) {
        if (!f)
                return -ENOMEM;
        return bus_error(reterror, API_ERROR_IDENTITY_FAILED, "%s. %s", f->message, failure_hint(f));
}

/* Quay demands more of a token than others: that is looked at unless no job shows it to a Quay. */
static ExchangeKind choose_exchange(const BusContext *b, const char *identity) {
        ExchangeKind found = EXCHANGE_QUAY;
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(b->manager, &n);
        for (size_t i = 0; i < n; i++) {
                const JobConfig *j = jobs[i]->config;

                if (!streq_ptr(j->identity, identity))
                        continue;
                found = j->exchange;
                if (found == EXCHANGE_QUAY)
                        break;
        }
        return found;
}

static int begin_explain(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        _cleanup_request_ Request *q = NULL;
        _cleanup_failure_ Failure *f = NULL;
        const IdentityConfig *identity = NULL;
        Ask *a = userdata;
        int r;

        r = get_identity(a->context, a->name, &identity, reterror);
        if (r < 0)
                return r;
        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->kind = REQUEST_EXPLAIN;
        q->timeout = REQUEST_TIMEOUT;
        r = free_and_strdup(&q->exchange, exchange_kind_to_string(choose_exchange(a->context, a->name)));
        if (r >= 0)
                r = local_identity_read(manager_root(a->context->manager), identity, q, &f);
        if (r != 0)
                return r < 0 ? r : refuse_failure(f, reterror);
        return ask_worker(a, c, TAKE_PTR(q));
}

static int append_text(sd_bus_message *m, const char *key, const char *value) {
        return sd_bus_message_append(m, "{sv}", key, "s", strempty(value));
}

static int append_time(sd_bus_message *m, const char *key, int64_t seconds) {
        return sd_bus_message_append(m, "{sv}", key, "t",
                                     seconds > 0 ? (uint64_t) seconds * USEC_PER_SEC : UINT64_C(0));
}

static int append_audience(sd_bus_message *m, char *const *audience) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Audience");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) audience);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_claims(sd_bus_message *m, const IdentityClaims *k, const Failure *f) {
        int r;

        r = append_text(m, "Issuer", k->issuer);
        if (r >= 0)
                r = append_text(m, "Subject", k->subject);
        if (r >= 0)
                r = append_audience(m, k->audience);
        if (r >= 0)
                r = append_text(m, "Algorithm", k->algorithm);
        if (r >= 0)
                r = append_text(m, "KeyID", k->key_id);
        if (r >= 0)
                r = append_time(m, "Issued", k->issued);
        if (r >= 0)
                r = append_time(m, "Expires", k->expires);
        if (r >= 0)
                r = append_text(m, "Problem", f ? f->message : NULL);
        return r < 0 ? r : append_text(m, "Hint", f ? failure_hint(f) : NULL);
}

static int finish_explain(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Answer *answer = &((const Ask *) userdata)->answer;
        int r;

        if (!answer->claims)
                return refuse_failure(answer->failure, reterror);
        r = sd_bus_message_new_method_return(waiting_call_message(c), &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = append_claims(reply, answer->claims, answer->failure);
        if (r >= 0 && answer->discovery && answer->key_set) {
                r = append_text(reply, "Discovery", answer->discovery);
                if (r >= 0)
                        r = append_text(reply, "KeySet", answer->key_set);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        return r < 0 ? r : 1;
}

static const WaitingKind explain_kind = { .begin = begin_explain, .late = late, .free = ask_free };

int bus_manager_explain_identity(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        if (!object_name_is_valid(name))
                return bus_error(reterror, API_ERROR_INVALID_NAME,
                                 "That is no name that an identity can have");
        r = authorize(b->authorizer, message, (char *const[]){ (char *) "identity", (char *) name, NULL },
                      reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        return wait_for(b, message, name, &explain_kind, finish_explain, reterror);
}

/* --- TestJob --- */

static int append_trace(sd_bus_message *m, const Trace *t) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ssts)");
        for (size_t i = 0; i < t->n_entries && r >= 0; i++)
                r = sd_bus_message_append(m, "(ssts)", trace_step_to_string(t->entries[i].step),
                                          trace_result_to_string(t->entries[i].result), t->entries[i].usec,
                                          t->entries[i].detail);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_failure(sd_bus_message *m, const Failure *f) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && f) {
                r = append_text(m, "Reason", reason_to_string(f->reason));
                if (r >= 0)
                        r = append_text(m, "Step", failure_step_to_string(f->step));
                if (r >= 0)
                        r = append_text(m, "Message", f->message);
                if (r >= 0)
                        r = append_text(m, "RegistryWords", f->words);
                if (r >= 0)
                        r = append_text(m, "Hint", failure_hint(f));
                if (r >= 0)
                        r = sd_bus_message_append(m, "{sv}", "HTTPStatus", "u",
                                                  f->http_status > 0 ? (uint32_t) f->http_status
                                                                     : UINT32_C(0));
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* What would be written, if all went well up to here. Returns 0 or a negative errno. */
static int preview(Ask *a, const Job *j) {
        _cleanup_strv_ char **sentences = NULL;
        _cleanup_free_ char *joined = NULL;
        int r;

        STRV_FOREACH(target, j->config->targets) {
                char *sentence;

                r = manager_preview_job(a->context->manager, j, *target, &sentence, &a->answer.failure);
                if (r > 0)
                        return trace_add(&a->answer.trace, TRACE_PUBLICATION, TRACE_FAILED, 0, "%s",
                                         a->answer.failure->message);
                if (r >= 0)
                        r = strv_consume(&sentences, sentence);
                if (r < 0)
                        return r;
        }
        r = strv_join(sentences, "; ", &joined);
        return r < 0 ? r : trace_add(&a->answer.trace, TRACE_PUBLICATION, TRACE_OK, 0, "%s", joined);
}

static int send_test(WaitingCall *c, const Answer *answer) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(waiting_call_message(c), &reply);
        if (r >= 0)
                r = append_trace(reply, &answer->trace);
        if (r >= 0)
                r = append_failure(reply, answer->failure);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        return r < 0 ? r : 1;
}

static int finish_test(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        Ask *a = userdata;
        Job *j;
        int r;

        r = bus_find_job(a->context, a->name, &j, reterror);
        if (r < 0)
                return r;
        if (!a->answer.failure && !a->answer.well)
                return -ENOMEM;
        /* A worker that could not be asked leaves no trace of its own. */
        if (a->answer.failure && !trace_has_failed(&a->answer.trace))
                r = trace_add(&a->answer.trace, TRACE_TOKEN, TRACE_FAILED, 0, "%s",
                              a->answer.failure->message);
        else if (a->answer.well)
                r = preview(a, j);
        if (r >= 0)
                r = trace_fill(&a->answer.trace, TRACE_PUBLICATION);
        return r < 0 ? r : send_test(c, &a->answer);
}

static int begin_test(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        Ask *a = userdata;
        Request *q = NULL;
        Job *j;
        int r;

        r = bus_find_job(a->context, a->name, &j, reterror);
        if (r < 0)
                return r;
        if (!j->config->enabled)
                return bus_refuse_disabled(j, reterror);
        if (!j->identity || j->configuration_failure)
                return bus_error(reterror, API_ERROR_CONFIGURATION_INVALID, "Job '%s' cannot be tested: %s",
                                 a->name,
                                 j->configuration_failure ? j->configuration_failure->message
                                                          : "it is not configured");
        r = job_request_new(j, REQUEST_TEST, &q, &a->answer.failure);
        if (r > 0)
                return finish_test(c, a, reterror);
        return r < 0 ? r : ask_worker(a, c, q);
}

static const WaitingKind test_kind = { .begin = begin_test, .late = late, .free = ask_free };

int bus_manager_test_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        Job *j;
        int r;

        r = bus_take_job(b, message, &j, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        return wait_for(b, message, j->name, &test_kind, finish_test, reterror);
}
