/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job's hold on its credential, and its two timers: the next attempt and the end of what is held.
 *
 * Refuses to let go early: a credential goes when a better one comes, when its robot is no longer wanted,
 * or when it really ends; then it is withdrawn, whatever else goes on. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "daemon/job-hold.h"
#include "daemon/job-log.h"

/* Refreshes wake nobody up for themselves: the kernel may put them together with other timers. The end of a
 * credential comes when it comes: for each second longer pulls would fail, also those that need none. */
#define ACCURACY_LONG (1 * USEC_PER_MINUTE)
#define ACCURACY_SHORT (50 * USEC_PER_MSEC)
#define LONG_DELAY (20 * USEC_PER_MINUTE)

/* At `boot`; never for USEC_INFINITY. The old one goes on if that fails: an attempt or an end at a wrong
 * time is better than none. */
static int set_alarm(Job *j, Alarms *alarms, Alarm *a, usec_t boot, usec_t accuracy) {
        int r;

        if (boot == USEC_INFINITY) {
                alarm_stop(a);
                return 0;
        }
        r = alarm_set(alarms, a, boot, accuracy, j);
        return r < 0 ? log_error_errno(r, "Job '%s' cannot set a timer: %m", j->name) : 0;
}

/* Returns 1 if the host is going to be awake, 0 if that cannot be had. */
static int set_waking_alarm(Job *j, usec_t boot, usec_t accuracy) {
        int r;

        if (!j->config->wake_system || boot == USEC_INFINITY)
                return 0;
        r = alarm_set(j->context->wakes, &j->attempt, boot, accuracy, j);
        if (r >= 0)
                return 1;
        if (!j->told_no_wake)
                log_warning_errno(
                        r, "Job '%s': WakeSystem=yes does not wake this host, %s, going on without: %m",
                        j->name,
                        r == -EPERM ? "the service lacks CAP_WAKE_ALARM (link "
                                      "/usr/share/pullauth/pullauthd.service.d/wake.conf as a drop-in of it)"
                                    : "which has no clock that can");
        j->told_no_wake = true;
        return 0;
}

int job_schedule(Job *j, usec_t boot) {
        usec_t accuracy = usec_sub(boot, now_boot()) >= LONG_DELAY ? ACCURACY_LONG : ACCURACY_SHORT;

        j->next_attempt_boot = boot;
        if (set_waking_alarm(j, boot, accuracy) > 0)
                return 0;
        return set_alarm(j, j->context->attempts, &j->attempt, boot, accuracy);
}

static int set_end(Job *j, usec_t boot) {
        return set_alarm(j, j->context->ends, &j->end, boot, ACCURACY_SHORT);
}

/* What an expiry leaves of a credential is its absence: everything that held it lets go. */
void job_drop_credential(Job *j) {
        const JobObserver *o = &j->context->observer;

        j->credential = credential_free(j->credential);
        j->user_pass = secret_free(j->user_pass);
        j->expires_boot = j->left_boot = 0;
        alarm_stop(&j->end);
        j->due_boot = 0;
        for (size_t i = 0; i < j->n_targets; i++)
                j->targets[i].result = TARGET_PENDING;
        o->publish(j, o->userdata);
}

/* Who let nobody else know that there was one has nobody to tell that it ended. */
static void end_left(Job *j) {
        bool stands = false;

        if (job_wants_left(j))
                return;
        for (size_t i = 0; i < j->n_targets; i++)
                stands |= j->targets[i].stands;
        if (stands)
                log_info("Job '%s': what an earlier run left in its targets ended and is withdrawn",
                         j->name);
        job_drop_credential(j);
        job_update(j, JOB_CHANGED_TARGETS);
}

void job_end_credential(Job *j) {
        if (!j->credential) {
                end_left(j);
                return;
        }
        if (!job_wants_publication(j))
                job_drop_credential(j);
        job_log_expired(j);
        if (!job_failure(j) && !job_is_attempting(j))
                (void) failure_new(&j->failure, STEP_EXCHANGE, REASON_EXPIRED,
                                   "The credential ended before it was replaced");
        job_update(j, JOB_CHANGED_CREDENTIAL | JOB_CHANGED_TARGETS | JOB_HAPPENED_EXPIRED);
}

int job_hold_credential(Job *j, Credential *credential, usec_t expires_boot) {
        const JobObserver *o = &j->context->observer;
        _cleanup_credential_ Credential *c = credential;
        _cleanup_secret_ Secret *user_pass = NULL;
        int r;

        r = credential_user_pass(c, &user_pass);
        if (r >= 0)
                r = set_end(j, expires_boot);
        if (r < 0)
                return r;
        credential_free(j->credential);
        j->credential = TAKE_PTR(c);
        j->left_boot = 0;
        /* What targets want is in `user_pass`; one copy is enough. */
        j->credential->secret = secret_free(j->credential->secret);
        free(TAKE_PTR(j->credential->user));
        secret_free(j->user_pass);
        j->user_pass = TAKE_PTR(user_pass);
        j->expires_boot = expires_boot;
        j->end_estimated = false;
        j->due_boot = job_due(j);
        j->delivered = false;
        for (size_t i = 0; i < j->n_targets; i++)
                j->targets[i].result = TARGET_PENDING;
        o->publish(j, o->userdata);
        return 0;
}

int job_limit_credential(Job *j, usec_t expires_boot) {
        j->expires_boot = expires_boot;
        return set_end(j, expires_boot);
}

int job_hold_left(Job *j, usec_t expires_boot, int64_t expires) {
        j->left_boot = expires_boot;
        j->left_expires = expires;
        return set_end(j, expires_boot);
}

void job_judge_left(Job *j) {
        usec_t end = usec_add(now_boot(), usec_sub((usec_t) j->left_expires * USEC_PER_SEC, now_real()));

        /* A clock that stands in the past knows of no end. */
        if (!j->credential && end < j->left_boot)
                (void) job_hold_left(j, end, j->left_expires);
}

int job_schedule_when_due(Job *j) {
        usec_t now = now_boot();

        /* An exchange that took longer than its token lives on is no reason to spin. */
        return job_schedule(j, j->due_boot > now ? j->due_boot : usec_add(now, 1 * USEC_PER_SEC));
}
