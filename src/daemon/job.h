/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One job: its configuration, its credential, its attempts, and when the next one is due.
 *
 * A job knows no manager, no bus and no target file. What others must know of it, it tells an observer. */

#include "daemon/job-data.h"

/* What the files say of one job. All of it is consumed by the call it is given to, also on failure. */
typedef struct JobSettings {
        JobConfig *config;
        IdentityConfig *identity;
        Conf *conf;
        Failure *failure;
} JobSettings;
void job_settings_done(JobSettings *s);

/* The first attempt is not scheduled yet: job_start(). `settings->identity` may be NULL with a failure. */
int job_new(const JobContext *context, JobSettings *settings, Job **ret);
Job *job_free(Job *j);
DEFINE_CLEANUP(Job *, job_free)

/* When an adopted credential ends and is due, on the boot clock of this boot. */
typedef struct JobTimes {
        usec_t obtained_boot;
        usec_t expires_boot; /* may be sooner than the life of the credential says: the host was off */
        usec_t due_boot;     /* as it was fixed when it was obtained; 0: to be worked out */
        bool estimated;      /* with the real clock, which may yet be set */
} JobTimes;

/* A registry's clock may be that much ahead of ours without ours being in doubt. */
#define JOB_CLOCK_LEEWAY (30 * USEC_PER_SEC)

/* Takes up a credential that an earlier run of the daemon left published, so that nothing is fetched
 * before it is due. Consumes the credential. */
int job_adopt(Job *j, Credential *credential, const JobTimes *times);
/* Schedules the first attempt: at `delay` from now, or when the adopted credential is due. */
int job_start(Job *j, usec_t delay);
/* Other files: touches only what they change. Consumes the settings. Returns 1 if anything changed, 0. */
int job_reconfigure(Job *j, JobSettings *settings);

/* Something happened that a wait of this job may be for: an attempt soon, if it is and the pace allows it.
 * During an attempt it is remembered, for that may have begun too early to profit. */
void job_wake(Job *j, WaitEvent event);

/* Asks for an attempt soon; requests while one is under way or waiting are one. Returns 1 and the number
 * of the attempt that answers it; 0 if the job is disabled, or its configuration keeps it from trying (see
 * its failure). */
int job_refresh(Job *j, uint64_t *ret_attempt);

/* Forgets how often the job failed and how long it was to wait for that: the next attempt comes as soon
 * as one on demand. What failed last stays true, and shown, until it is over. */
void job_reset_failed(Job *j);

/* What came of the last job_observer.publish() for one target. Takes `failure` (copied). */
int job_set_target_result(Job *j, const char *target, TargetResult result, const Failure *failure);
/* The real clock was set: shown times change, and deadlines that it was asked for. */
void job_clock_changed(Job *j);
