/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An account of exchanges by the hash of what they are for: registry, robot account and token.
 *
 * Owns each exchange while somebody refers to it or its credential is good for another pull. Keeps no token,
 * only its hash; writes nothing to any file. A failure is told to who waits for it, and kept for nobody: who
 * asks next is a reason to try again, and kubelet takes its time. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/text.h"
#include "daemon/job-request.h"
#include "daemon/pod-exchange.h"

struct PodExchange {
        PodExchanges *all;
        PodExchange *next; /* among the listed ones */
        unsigned n_users;
        bool listed; /* who comes may have it */
        uint8_t hash[HASH_SIZE];
        char *robot;
        Request *request; /* until its turn comes */
        WorkerCall *call;
        usec_t asked_boot;
        Secret *user_pass;
        usec_t expires_boot, stale_boot;
        Failure *failure;
};

struct PodExchanges {
        sd_event_source *timer;
        Manager *manager;
        void (*changed)(void *userdata);
        void *userdata;
        PodExchange *first;
        size_t n;
};

static PodExchange *exchange_free(PodExchange *x) {
        worker_call_free(x->call);
        request_free(x->request);
        free(x->robot);
        secret_free(x->user_pass);
        failure_free(x->failure);
        free(x);
        return NULL;
}

static void unlist(PodExchange *x) {
        PodExchanges *l = x->all;

        if (!x->listed)
                return;
        for (PodExchange **p = &l->first; *p; p = &(*p)->next)
                if (*p == x) {
                        *p = x->next;
                        break;
                }
        x->listed = false;
        l->n--;
        if (x->n_users == 0)
                exchange_free(x);
}

/* Wakes for the first credential that ends its service here. */
static void arm(PodExchanges *l) {
        usec_t first = USEC_INFINITY;

        for (PodExchange *x = l->first; x; x = x->next)
                if (x->user_pass && x->stale_boot < first)
                        first = x->stale_boot;
        if (first != USEC_INFINITY)
                (void) sd_event_source_set_time(l->timer, first);
        (void) sd_event_source_set_enabled(l->timer,
                                           first != USEC_INFINITY ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void drop_stale(PodExchanges *l) {
        usec_t now = now_boot();
        PodExchange *next;

        for (PodExchange *x = l->first; x; x = next) {
                next = x->next;
                if (x->user_pass && x->stale_boot <= now)
                        unlist(x);
        }
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        PodExchanges *l = userdata;

        drop_stale(l);
        arm(l);
        return 0;
}

int pod_exchanges_new(sd_event *event, Manager *manager, void (*changed)(void *userdata), void *userdata,
                      PodExchanges **ret) {
        _cleanup_(pod_exchanges_freep) PodExchanges *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->manager = manager;
        l->changed = changed;
        l->userdata = userdata;
        r = sd_event_add_time(event, &l->timer, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_timer, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

PodExchanges *pod_exchanges_free(PodExchanges *l) {
        if (!l)
                return NULL;
        while (l->first)
                unlist(l->first);
        sd_event_source_disable_unref(l->timer);
        free(l);
        return NULL;
}

PodExchange *pod_exchange_unref(PodExchange *x) {
        if (!x || --x->n_users > 0)
                return NULL;
        if (!x->listed)
                return exchange_free(x);
        if (!x->user_pass)
                unlist(x);
        return NULL;
}

/* The worker is the part that may fall: what it says is held against what we know. */
static int take_credential(PodExchange *x, const Credential *c) {
        usec_t now = now_boot(), expires = credential_expires_boot(c);

        if (!streq_ptr(c->user, x->robot) || c->obtained_boot < x->asked_boot || c->obtained_boot > now)
                return failure_new(&x->failure, STEP_EXCHANGE, REASON_ANSWER_MALFORMED,
                                   "The worker returned a credential that does not belong to this request");
        if (expires <= now)
                return failure_new(&x->failure, STEP_EXCHANGE, REASON_TOKEN_NOT_USABLE,
                                   "The registry returned a token that has ended already");
        x->expires_boot = expires;
        x->stale_boot = usec_sub(expires, credential_lifetime(c) / 5);
        return credential_user_pass(c, &x->user_pass);
}

static void on_answer(WorkerCall *call, Answer *answer, void *userdata) {
        PodExchange *x = userdata;
        /* The answer lives as long as the call. */
        _cleanup_(worker_call_freep) WorkerCall *done = TAKE_PTR(x->call);
        PodExchanges *l = x->all;

        if (answer->credential)
                (void) take_credential(x, answer->credential);
        else
                x->failure = TAKE_PTR(answer->failure);
        if (!x->user_pass && !x->failure)
                (void) failure_new(&x->failure, STEP_EXCHANGE, REASON_INTERNAL, "Out of memory");
        if (!x->user_pass)
                unlist(x);
        arm(l);
        l->changed(l->userdata);
}

static int hand_over(void *userdata, Request **ret, Failure **reterr_failure) {
        PodExchange *x = userdata;

        *ret = TAKE_PTR(x->request);
        return 0;
}

/* Returns 0, also with a failure that is known already, or -ENOMEM. */
static int start(PodExchange *x, const Job *j, const char *scope, const Secret *token) {
        const WorkerClient client = { .request = hand_over, .answer = on_answer, .userdata = x };
        int r;

        x->asked_boot = now_boot();
        r = job_request_new_for_token(j, x->robot, scope, token, &x->request, &x->failure);
        if (r != 0)
                return r < 0 ? r : 0;
        return manager_ask(x->all->manager, &client, &x->call);
}

static void hash(const Job *j, const char *robot, const Secret *token, uint8_t ret[static HASH_SIZE]) {
        struct iovec v = secret_peek(token);
        const HashPart parts[] = {
                { j->config->registry, strlen(j->config->registry) },
                { robot, strlen(robot) },
                { v.iov_base, v.iov_len },
        };

        hash_parts(parts, ELEMENTSOF(parts), ret);
}

/* Of those that nobody refers to the one that ends first makes room. */
static int make_room(PodExchanges *l) {
        PodExchange *oldest = NULL;

        if (l->n < POD_EXCHANGES_MAX)
                return 0;
        for (PodExchange *x = l->first; x; x = x->next)
                if (x->n_users == 0 && (!oldest || x->stale_boot < oldest->stale_boot))
                        oldest = x;
        if (!oldest)
                return -EBUSY;
        unlist(oldest);
        return 0;
}

int pod_exchange_get(PodExchanges *l, const Job *j, const char *robot, const char *scope,
                     const Secret *token, PodExchange **ret) {
        _cleanup_(pod_exchange_unrefp) PodExchange *x = NULL;
        uint8_t wanted[HASH_SIZE];
        int r;

        hash(j, robot, token, wanted);
        drop_stale(l);
        for (PodExchange *i = l->first; i; i = i->next)
                if (memcmp(i->hash, wanted, sizeof(wanted)) == 0) {
                        i->n_users++;
                        *ret = i;
                        return 0;
                }
        r = make_room(l);
        if (r < 0)
                return r;
        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (PodExchange){ .all = l, .n_users = 1, .robot = strdup(robot) };
        memcpy(x->hash, wanted, sizeof(wanted));
        r = x->robot ? start(x, j, scope, token) : -ENOMEM;
        if (r < 0)
                return r;
        if (!x->failure) {
                x->next = l->first;
                x->listed = true;
                l->first = x;
                l->n++;
        }
        *ret = TAKE_PTR(x);
        return 0;
}

int pod_exchange_result(const PodExchange *x, const Secret **ret_user_pass, usec_t *ret_expires_boot,
                        const Failure **reterr_failure) {
        if (x->user_pass) {
                *ret_user_pass = x->user_pass;
                *ret_expires_boot = x->expires_boot;
                return 1;
        }
        if (!x->failure && x->call)
                return 0;
        *reterr_failure = x->failure;
        return -EIO;
}
