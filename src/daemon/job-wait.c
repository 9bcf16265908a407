/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a job waits after a failure, and what ends that early.
 *
 * Owns nothing but the random draws: paces and events are tables of model/schedule. Refuses to end a wait
 * for an event that it is not for, or for more events than the pace allows. */

#include "base/log.h"
#include "base/random.h"
#include "daemon/job-hold.h"
#include "daemon/job-wait.h"

void job_wait_event(Job *j, WaitEvent event) {
        usec_t now = now_boot(), left = usec_sub(j->next_attempt_boot, now), spread, soon;
        FailureClass class;

        if (!job_may_attempt(j) || !j->failure || j->next_attempt_boot == USEC_INFINITY)
                return;
        class = failure_class(j->failure);
        spread = wait_event_spread(event);
        soon = spread > 0 ? random_draw() % spread : 0;
        if (!(wait_event_classes(event) & 1U << class) || left <= soon ||
            !pace_may_wake(&j->pace, class, left - soon))
                return;
        log_debug("Job '%s': something happened that may end '%s', trying again", j->name,
                  reason_to_string(j->failure->reason));
        (void) job_schedule(j, now + soon);
        job_announce(j, JOB_CHANGED_STATE);
}

void job_wait(Job *j, const Failure *failure) {
        usec_t delay = pace_next(&j->pace, failure ? failure_class(failure) : FAILURE_TRANSPORT,
                                 failure ? failure->retry_after : 0, job_remaining(j), random_draw());

        (void) job_schedule(j, usec_add(now_boot(), delay));
        for (WaitEvent e = 0; e < _WAIT_EVENT_MAX; e++)
                if (j->heard & 1U << e)
                        job_wait_event(j, e);
        j->heard = 0;
}
