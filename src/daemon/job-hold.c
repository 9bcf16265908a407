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

/* A timer at `boot`; none for USEC_INFINITY. */
static int set_timer(Job *j, sd_event_source **source, clockid_t clock, usec_t boot, usec_t accuracy,
                     sd_event_time_handler_t handler) {
        sd_event_source *timer = NULL;
        int r = 0;

        if (boot != USEC_INFINITY)
                r = sd_event_add_time(j->context->event, &timer, clock, boot, accuracy, handler, j);
        if (r < 0 && clock == CLOCK_BOOTTIME_ALARM) {
                if (!j->told_no_wake)
                        log_warning_errno(r,
                                          "Job '%s': WakeSystem=yes does not wake this host, its service "
                                          "lacks CAP_WAKE_ALARM (see pullauth.job(5)), going on without: %m",
                                          j->name);
                j->told_no_wake = true;
                r = sd_event_add_time(j->context->event, &timer, CLOCK_BOOTTIME, boot, accuracy, handler, j);
        }
        /* The old one goes on: an attempt or an end at a wrong time is better than none. */
        if (r < 0)
                return log_error_errno(r, "Job '%s' cannot set a timer: %m", j->name);
        sd_event_source_disable_unref(*source);
        *source = timer;
        return 0;
}

int job_schedule(Job *j, usec_t boot) {
        usec_t accuracy = usec_sub(boot, now_boot()) >= LONG_DELAY ? ACCURACY_LONG : ACCURACY_SHORT;

        j->next_attempt_boot = boot;
        return set_timer(j, &j->attempt_timer,
                         j->config->wake_system ? CLOCK_BOOTTIME_ALARM : CLOCK_BOOTTIME, boot, accuracy,
                         j->on_due);
}

/* What an expiry leaves of a credential is its absence: everything that held it lets go. */
void job_drop_credential(Job *j) {
        const JobObserver *o = &j->context->observer;

        j->credential = credential_free(j->credential);
        j->auth = secret_free(j->auth);
        j->expires_boot = 0;
        j->expiry_timer = sd_event_source_disable_unref(j->expiry_timer);
        j->due_boot = 0;
        for (size_t i = 0; i < j->n_targets; i++)
                j->targets[i].result = TARGET_PENDING;
        o->publish(j, o->userdata);
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;

        j->expiry_timer = sd_event_source_disable_unref(j->expiry_timer);
        if (!job_wants_publication(j))
                job_drop_credential(j);
        job_log_expired(j);
        if (!job_failure(j) && !job_is_attempting(j))
                (void) failure_new(&j->failure, STEP_EXCHANGE, REASON_EXPIRED,
                                   "The credential ended before it was replaced");
        job_update(j, JOB_CHANGED_CREDENTIAL | JOB_CHANGED_TARGETS | JOB_HAPPENED_EXPIRED);
        return 0;
}

int job_hold_credential(Job *j, Credential *credential, usec_t expires_boot) {
        const JobObserver *o = &j->context->observer;
        _cleanup_credential_ Credential *c = credential;
        _cleanup_secret_ Secret *auth = NULL;
        int r;

        r = credential_auth(c, &auth);
        if (r >= 0)
                r = set_timer(j, &j->expiry_timer, CLOCK_BOOTTIME, expires_boot, ACCURACY_SHORT, on_expiry);
        if (r < 0)
                return r;
        credential_free(j->credential);
        j->credential = TAKE_PTR(c);
        /* What targets want is in `auth`; one copy is enough. */
        j->credential->secret = secret_free(j->credential->secret);
        secret_free(j->auth);
        j->auth = TAKE_PTR(auth);
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
        return set_timer(j, &j->expiry_timer, CLOCK_BOOTTIME, expires_boot, ACCURACY_SHORT, on_expiry);
}

int job_schedule_when_due(Job *j) {
        usec_t now = now_boot();

        /* An exchange that took longer than its token lives on is no reason to spin. */
        return job_schedule(j, j->due_boot > now ? j->due_boot : usec_add(now, 1 * USEC_PER_SEC));
}
