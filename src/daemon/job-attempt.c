/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One attempt: read the identity anew, ask the worker, judge its answer, wait for the targets.
 *
 * Owns the order of these steps and what each outcome does to the pace. The first failure of a torn or
 * expired identity is looked at twice within one attempt: whoever writes the file may be just at it.
 *
 * Refuses to replace a valid credential by one that ends sooner. */

#include <errno.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/job-attempt.h"
#include "daemon/job-hold.h"
#include "daemon/job-log.h"
#include "daemon/job-request.h"
#include "daemon/job-wait.h"

#define REREAD_DELAY (300 * USEC_PER_MSEC)
/* Of the life of a token that is its own credential: when it has to have been renewed. */
#define LATE_PART 10

static void send_request(Job *j);

static void end_attempt(Job *j, JobChange what) {
        const JobObserver *o = &j->context->observer;

        j->attempts_ended++;
        job_update(j, what);
        o->ended(j, o->userdata);
}

/* Consumes `failure`; NULL means that there was no memory to say more. */
static void fail(Job *j, Failure *failure) {
        bool news;

        if (!failure)
                (void) failure_new(&failure, STEP_EXCHANGE, REASON_INTERNAL, "Out of memory");
        news = !j->failure || !failure || j->failure->reason != failure->reason;
        failure_free(j->failure);
        j->failure = failure;
        j->failures++;
        job_wait(j, failure);
        if (failure && news)
                job_log_failed(j, failure);
        end_attempt(j, JOB_HAPPENED_FAILED);
}

static void fail_internal(Job *j, int error) {
        Failure *f = NULL;

        if (error != -ENOMEM)
                (void) failure_new(&f, STEP_EXCHANGE, REASON_INTERNAL, "Internal error: %s",
                                   strerrordesc_np(-error) ?: "unknown");
        fail(j, f);
}

static int on_reread(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;

        j->reread_timer = sd_event_source_disable_unref(j->reread_timer);
        send_request(j);
        return 0;
}

/* Returns true if the identity is going to be read once more. */
static bool reread(Job *j, const Failure *f) {
        if (j->reread_done || (f->reason != REASON_TOKEN_EXPIRED && f->reason != REASON_TOKEN_EMPTY &&
                               f->reason != REASON_TOKEN_MALFORMED))
                return false;
        j->reread_done = true;
        return sd_event_add_time_relative(j->context->event, &j->reread_timer, CLOCK_BOOTTIME, REREAD_DELAY,
                                          1 * USEC_PER_MSEC, on_reread, j) >= 0;
}

static void fail_or_reread(Job *j, Failure *failure) {
        if (failure && reread(j, failure)) {
                failure_free(failure);
                return;
        }
        fail(j, failure);
}

/* The worker is the part that may fall: what it says of the token is held against what we know. */
static int check_credential(const Job *j, const Credential *c, usec_t asked_boot, Failure **reterr) {
        int r = 0;

        if (!streq_ptr(c->user, j->config->robot) || c->obtained_boot < asked_boot ||
            c->obtained_boot > now_boot())
                r = failure_new(reterr, STEP_EXCHANGE, REASON_ANSWER_MALFORMED,
                                "The worker returned a credential that does not belong to this request");
        else if (credential_expires_boot(c) <= now_boot())
                r = failure_new(reterr, STEP_EXCHANGE, REASON_TOKEN_NOT_USABLE,
                                "The registry returned a token that has ended already");
        else if (job_has_valid_credential(j) && credential_expires_boot(c) <= j->expires_boot)
                r = failure_new(
                        reterr, STEP_EXCHANGE, REASON_TOKEN_NOT_USABLE,
                        "The token that was obtained ends sooner than the one that stands, which is kept");
        return r < 0 ? r : *reterr ? 1 : 0;
}

/* Of the credential that stands: a source that renews its token rarely gives the same one for a while. */
static bool is_the_same(const Job *j, const Credential *c) {
        _cleanup_secret_ Secret *user_pass = NULL;

        return j->config->exchange == EXCHANGE_TOKEN && job_has_valid_credential(j) &&
               credential_user_pass(c, &user_pass) >= 0 && secret_equal(user_pass, j->user_pass);
}

/* There is nothing newer yet. Whoever renews the token is given half of what is left, and half of that; near
 * the end it is a failure. */
static void go_on_with_it(Job *j) {
        usec_t left = usec_sub(j->expires_boot, now_boot());
        Failure *f = NULL;

        if (left > credential_lifetime(j->credential) / LATE_PART) {
                j->failure = failure_free(j->failure);
                j->pace = (Pace){};
                (void) job_schedule(j, usec_add(now_boot(), left / 2));
                end_attempt(j, 0);
                return;
        }
        (void) failure_new(
                &f, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                "The source of the identity still gives the token that stands, and that ends soon");
        if (f)
                (void) failure_set_hint(f,
                                        "Check that what renews this host's token is running, and that it "
                                        "does so before a tenth of the token's life is left");
        fail(j, f);
}

static void take_knowledge(Job *j, Answer *a) {
        if (a->claims) {
                identity_claims_free(j->claims);
                j->claims = TAKE_PTR(a->claims);
        }
        strv_free(j->notices);
        j->notices = TAKE_PTR(a->notices);
        if (a->skew_known) {
                j->skew_known = true;
                j->skew_usec = a->skew_usec;
        }
        /* Whatever the attempt comes to: what was learned on the way is shown. */
        job_announce(j, JOB_CHANGED_IDENTITY);
}

static void on_answer(WorkerCall *call, Answer *a, void *userdata) {
        Job *j = userdata;
        _cleanup_(worker_call_freep) WorkerCall *done = TAKE_PTR(j->call);
        _cleanup_failure_ Failure *worse = NULL;
        usec_t expires;
        int r;

        take_knowledge(j, a);
        if (!a->credential) {
                fail_or_reread(j, TAKE_PTR(a->failure));
                return;
        }
        if (is_the_same(j, a->credential)) {
                go_on_with_it(j);
                return;
        }
        r = check_credential(j, a->credential, j->last_attempt_boot, &worse);
        if (r != 0) {
                fail(j, TAKE_PTR(worse));
                return;
        }
        j->awaiting_publication = true;
        expires = credential_expires_boot(a->credential);
        r = job_hold_credential(j, TAKE_PTR(a->credential), expires);
        if (r < 0) {
                j->awaiting_publication = false;
                fail_internal(j, r);
                return;
        }
        job_update(j, JOB_CHANGED_CREDENTIAL | JOB_CHANGED_TARGETS);
}

static int make_request(void *userdata, Request **ret, Failure **reterr_failure) {
        return job_request_new(userdata, REQUEST_OBTAIN, ret, reterr_failure);
}

static void send_request(Job *j) {
        const WorkerClient client = { .request = make_request, .answer = on_answer, .userdata = j };
        int r;

        r = worker_call_new(j->context->worker, &client, &j->call);
        if (r < 0)
                fail_internal(j, r);
}

void job_attempt_start(Job *j) {
        if (job_is_attempting(j) || !job_may_attempt(j))
                return;
        (void) job_schedule(j, USEC_INFINITY);
        j->attempts_started++;
        j->last_attempt_boot = now_boot();
        j->last_attempt_real = now_real();
        j->reread_done = false;
        j->heard = 0;
        send_request(j);
        if (job_is_attempting(j))
                job_update(j, JOB_CHANGED_STATE);
}

void job_attempt_cancel(Job *j) {
        if (!job_is_attempting(j))
                return;
        j->call = worker_call_free(j->call);
        j->reread_timer = sd_event_source_disable_unref(j->reread_timer);
        j->awaiting_publication = false;
        j->attempts_ended++;
}

static bool all_answered(const Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (j->targets[i].result == TARGET_PENDING)
                        return false;
        return true;
}

/* The host was suspended in between, or the targets were busy for longer than the credential lived. */
static void fail_ended(Job *j) {
        Failure *f = NULL;

        (void) failure_new(&f, STEP_PUBLICATION, REASON_EXPIRED,
                           "The credential ended before it stood in its targets");
        fail(j, f);
}

/* Only a credential that tools can read is a success, be it in this attempt or when the target recovers. */
static void note_delivery(Job *j) {
        if (j->delivered || !j->credential || !job_is_published(j))
                return;
        j->delivered = true;
        j->refreshes++;
        j->last_success_real = now_real();
        j->pace = (Pace){};
        job_log_refreshed(j);
        job_announce(j, JOB_HAPPENED_REFRESHED);
}

void job_attempt_target_answered(Job *j) {
        if (!j->awaiting_publication) {
                note_delivery(j);
                return;
        }
        if (!all_answered(j))
                return;
        j->awaiting_publication = false;
        if (!job_has_valid_credential(j)) {
                fail_ended(j);
                return;
        }
        /* The exchange worked; what is wrong with a target is the target's, and retried without another
         * one. */
        j->failure = failure_free(j->failure);
        (void) job_schedule_when_due(j);
        note_delivery(j);
        if (job_is_published(j)) {
                end_attempt(j, 0);
                return;
        }
        j->failures++;
        end_attempt(j, JOB_HAPPENED_FAILED);
}
