/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When to look at a Secret of a cluster, and going on until it is in line.
 *
 * Owns the round: it is read, daemon/cluster-plan says what to do, that is done for the version that
 * was read, and if somebody changed it in between, the next round begins at once, a few times. What fails is
 * tried again at the pace of publications and never causes an exchange. Each publication looks at what
 * stands in the cluster, so what others did to the Secret is mended with the next refresh at the latest.
 *
 * Nothing of a job is held while the worker is asked: what is wanted is asked for anew in each round. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "daemon/cluster-plan.h"
#include "daemon/cluster-request.h"
#include "daemon/cluster-slot.h"
#include "model/schedule.h"

/* Changes that come faster than this share a round. */
#define SPACING (1 * USEC_PER_SEC)
/* Somebody who changes the Secret each time that we look at it does so for longer. */
#define CONFLICTS_MAX 4

/* What is told of jobs when the round is over. */
typedef struct Report {
        Wanted *wanted; /* the names of jobs alone, and a failure of each */
        size_t n;
} Report;

struct ClusterSlot {
        const ClusterContext *context;
        TargetConfig *config;
        TargetConfig *orphan; /* the target went: under this its place is asked for what is still wanted */
        sd_event_source *timer;
        WorkerCall *call; /* a round is under way: */
        ClusterAction action;
        ClusterSecret *secret; /* of the next call, until its turn comes */
        char **removed;        /* keys that are not ours any more if it succeeds */
        Report report;
        unsigned n_conflicts;
        bool news;   /* with it the Secret says something else than before */
        bool marked; /* something changed since the round began */
        bool known;  /* a round has succeeded since we run */
        bool complained;
        usec_t not_before;
        Pace pace;
};

static const char *place_of(const ClusterSlot *s) {
        return s->config->paths[0];
}

static void report_done(Report *r) {
        for (size_t i = 0; i < r->n; i++) {
                free((char *) r->wanted[i].job);
                failure_free(r->wanted[i].failure);
        }
        free(r->wanted);
        *r = (Report){};
}

static void forget_round(ClusterSlot *s) {
        s->call = worker_call_free(s->call);
        s->secret = cluster_secret_free(s->secret);
        s->removed = strv_free(s->removed);
        report_done(&s->report);
}

ClusterSlot *cluster_slot_free(ClusterSlot *s) {
        if (!s)
                return NULL;
        forget_round(s);
        sd_event_source_disable_unref(s->timer);
        target_config_free(s->config);
        target_config_free(s->orphan);
        free(s);
        return NULL;
}

static void arm(ClusterSlot *s, usec_t boot) {
        int r;

        r = sd_event_source_set_time(s->timer, boot);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Cannot schedule the writing of %s: %m", place_of(s));
}

/* A round that is under way is followed by another one. */
void cluster_slot_mark(ClusterSlot *s) {
        s->marked = true;
        if (!s->call)
                arm(s, s->not_before);
}

static ClusterView view_of(const ClusterSlot *s, const ClusterSecret *found) {
        return (ClusterView){
                .store = s->context->store,
                .config = s->config,
                .owner = s->context->owner,
                .host = s->context->host,
                .found = found,
                .leaving = s->orphan,
                .first = !s->known,
        };
}

static int collect(const ClusterSlot *s, Wanted **ret, size_t *ret_n) {
        const PublisherClient *client = &s->context->client;

        return client->collect(s->orphan ?: s->config, ret, ret_n, client->userdata);
}

/* Takes the failures. Returns 0 or -ENOMEM. */
static int report_fill(Report *r, Wanted *wanted, size_t n) {
        report_done(r);
        r->wanted = calloc(n + 1, sizeof(*r->wanted));
        if (!r->wanted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                char *job = strdup(wanted[i].job);

                if (!job)
                        return -ENOMEM;
                r->wanted[r->n++] = (Wanted){
                        .job = job,
                        .left = wanted[i].user_pass || wanted[i].left,
                        .failure = TAKE_PTR(wanted[i].failure),
                };
        }
        return 0;
}

static bool is_well(const Report *r) {
        for (size_t i = 0; i < r->n; i++)
                if (r->wanted[i].failure)
                        return false;
        return true;
}

/* Of what happens to a Secret that is no target any more no job tells. */
static void note_leaving(ClusterSlot *s, const Failure *f) {
        if (f && !s->complained)
                log_warning("Cannot take what is ours out of %s, which is no target any more, trying again: "
                            "%s. %s",
                            place_of(s), f->message, failure_hint(f));
        s->complained = f;
        if (!f && !state_data_owns_any(state_store_data(s->context->store), place_of(s)))
                s->context->gone(s, s->context->userdata);
}

/* The round is over. What changed since it began makes its success old news. */
static void end(ClusterSlot *s, const Failure *f) {
        const PublisherClient *client = &s->context->client;
        usec_t now = now_boot();
        bool well = !f && is_well(&s->report);

        s->n_conflicts = 0;
        s->not_before = usec_add(now, SPACING);
        s->known = s->known || !f;
        if (well)
                s->pace = (Pace){};
        if (s->marked)
                arm(s, s->not_before);
        else if (!well)
                arm(s, usec_add(now, pace_next(&s->pace, FAILURE_PUBLISH, f ? f->retry_after : 0, 0,
                                               random_draw())));
        if (s->orphan) {
                forget_round(s);
                note_leaving(s, f);
                return;
        }
        if (f || !s->marked)
                client->done(s->config, s->report.wanted, s->report.n, f, client->userdata);
        forget_round(s);
}

/* Without memory for a failure there is none to tell; it is tried again. */
static void end_with_error(ClusterSlot *s, int error) {
        _cleanup_failure_ Failure *f = NULL;

        log_warning_errno(error, "Cannot bring %s in line, trying again: %m", place_of(s));
        (void) failure_new(&f, STEP_PUBLICATION, REASON_TARGET_UNREACHABLE,
                           "The target could not be looked at");
        if (f)
                end(s, f);
        else {
                forget_round(s);
                cluster_slot_mark(s);
        }
}

static void ask(ClusterSlot *s, ClusterAction action, ClusterSecret *secret);

/* Returns 0 or -ENOMEM. */
static int begin(ClusterSlot *s) {
        const ClusterView v = view_of(s, NULL);
        ClusterSecret *secret;
        int r;

        s->marked = false;
        r = cluster_secret_wanted(&v, &secret);
        if (r >= 0)
                ask(s, CLUSTER_READ, secret);
        return r;
}

static void disown(ClusterSlot *s) {
        StateData *state = state_store_data(s->context->store);

        STRV_FOREACH(key, s->removed)
                state_data_disown_key(state, place_of(s), *key);
}

/* It was read; found or not, it is known what to do. */
static void go_on(ClusterSlot *s, const ClusterSecret *found) {
        const ClusterView v = view_of(s, found);
        _cleanup_(cluster_plan_done) ClusterPlan plan = {};
        _cleanup_failure_ Failure *f = NULL;
        Wanted *wanted = NULL;
        size_t n = 0;
        int r;

        /* All that changed up to here is in it. */
        s->marked = false;
        r = collect(s, &wanted, &n);
        if (r >= 0)
                r = cluster_plan_make(&v, wanted, n, &plan, &f);
        if (r >= 0 && report_fill(&s->report, wanted, n) < 0)
                r = -ENOMEM;
        wanted_free(wanted, n);
        if (r < 0) {
                end_with_error(s, r);
                return;
        }
        strv_free(s->removed);
        s->removed = TAKE_PTR(plan.removed);
        if (plan.action != CLUSTER_READ) {
                s->news = !found || !secret_equal(found->data, plan.secret->data);
                ask(s, plan.action, TAKE_PTR(plan.secret));
                return;
        }
        if (!f)
                disown(s);
        end(s, f);
}

/* Somebody was faster: what is there is looked at anew, and may be another thing altogether. */
static bool is_conflict(const ClusterSlot *s, const Failure *f) {
        return f->http_status == 409 && s->n_conflicts < CONFLICTS_MAX;
}

static void fail(ClusterSlot *s, Failure *f) {
        int r;

        if (!is_conflict(s, f)) {
                cluster_failure_adopt(f);
                end(s, f);
                return;
        }
        s->n_conflicts++;
        r = begin(s);
        if (r < 0)
                end_with_error(s, r);
}

/* What was to be done is done. */
static void on_changed(ClusterSlot *s) {
        const PublisherClient *client = &s->context->client;

        disown(s);
        if (s->news && !s->orphan)
                client->written(s->config, client->userdata);
        end(s, NULL);
}

static void on_answer(WorkerCall *call, Answer *a, void *userdata) {
        _cleanup_(cluster_secret_freep) ClusterSecret *found = TAKE_PTR(a->cluster);
        _cleanup_failure_ Failure *f = TAKE_PTR(a->failure);
        ClusterSlot *s = userdata;
        bool well = a->well;

        s->call = worker_call_free(s->call);
        if (f)
                fail(s, f);
        else if (!well)
                end_with_error(s, -ENOMEM);
        else if (s->action == CLUSTER_READ)
                go_on(s, found);
        else
                on_changed(s);
}

static int make_request(void *userdata, Request **ret, Failure **reterr) {
        ClusterSlot *s = userdata;
        const char *root = s->context->root;

        return cluster_request_new(root, s->config, s->action, TAKE_PTR(s->secret), ret, reterr);
}

static void ask(ClusterSlot *s, ClusterAction action, ClusterSecret *secret) {
        const WorkerClient client = { .request = make_request, .answer = on_answer, .userdata = s };
        int r;

        s->action = action;
        s->secret = secret;
        r = worker_call_new(s->context->worker, &client, &s->call);
        if (r < 0)
                end_with_error(s, r);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        ClusterSlot *s = userdata;
        int r;

        if (s->call)
                return 0;
        r = begin(s);
        if (r < 0)
                end_with_error(s, r);
        return 0;
}

int cluster_slot_new(const ClusterContext *context, TargetConfig *config, ClusterSlot **ret) {
        _cleanup_(cluster_slot_freep) ClusterSlot *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->context = context;
        s->config = target_config_share(config);
        r = sd_event_add_time(context->event, &s->timer, CLOCK_BOOTTIME, 0, 1, on_timer, s);
        if (r < 0)
                return r;
        /* After everything else that is due: what it changes goes into the same round. */
        (void) sd_event_source_set_priority(s->timer, SD_EVENT_PRIORITY_IDLE);
        r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int cluster_slot_leave(ClusterSlot *s) {
        int r;

        r = s->orphan ? 0 : target_config_new_orphan(place_of(s), &s->orphan);
        if (r >= 0)
                cluster_slot_mark(s);
        return r;
}

bool cluster_slot_is_leaving(const ClusterSlot *s) {
        return s->orphan;
}

void cluster_slot_reset_failed(ClusterSlot *s) {
        s->pace = (Pace){};
        cluster_slot_mark(s);
}

const TargetConfig *cluster_slot_config(const ClusterSlot *s) {
        return s->config;
}
