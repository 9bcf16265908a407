/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One job: its configuration, its credential, its attempts, and when the next one is due.
 *
 * A job knows no manager, no bus and no target file. What others must know of it, it tells an observer. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/failure.h"
#include "codec/conf.h"
#include "daemon/worker-link.h"
#include "model/credential.h"
#include "model/identity-config.h"
#include "model/job-config.h"
#include "model/job-state.h"
#include "model/request.h"
#include "model/schedule.h"

typedef struct Job Job;

/* What changed, so that observers need not compare. */
typedef enum JobChange {
        JOB_CHANGED_CONFIGURATION = 1 << 0,
        JOB_CHANGED_STATE = 1 << 1,    /* state, failure, notices, counters, times of attempts */
        JOB_CHANGED_CREDENTIAL = 1 << 2, /* issued, expires */
        JOB_CHANGED_IDENTITY = 1 << 3, /* claims, clock skew */
        JOB_CHANGED_TARGETS = 1 << 4,
        _JOB_CHANGED_ALL = (1 << 5) - 1,
} JobChange;

typedef struct JobObserver {
        void (*changed)(Job *job, JobChange what, void *userdata);
        /* The credential came, changed or went: fragment and targets have to follow. The targets' results are
         * handed in with job_set_target_result(). */
        void (*publish)(Job *job, void *userdata);
        /* An attempt ended, successfully or not. */
        void (*ended)(Job *job, void *userdata);
        void *userdata;
} JobObserver;

/* What all jobs of a daemon share. */
typedef struct JobContext {
        sd_event *event;
        WorkerLink *worker;
        const char *root;
        uint8_t host[16];    /* application-specific machine id */
        const uint8_t *salt; /* STATE_SALT_SIZE bytes */
        size_t salt_size;
        JobObserver observer;
} JobContext;

typedef enum TargetResult {
        TARGET_PENDING,
        TARGET_PUBLISHED,
        TARGET_WITHDRAWN,
        TARGET_FAILED,
        _TARGET_RESULT_MAX,
        _TARGET_RESULT_INVALID = -EINVAL,
} TargetResult;
const char *target_result_to_string(TargetResult r);

typedef struct JobTarget {
        char *name;
        TargetResult result;
        Failure *failure; /* if failed */
} JobTarget;

struct Job {
        const JobContext *context;
        char *name;
        /* what the files say */
        JobConfig *config;
        IdentityConfig *identity;
        Conf *conf;                     /* messages about the files, kept for showing */
        Failure *configuration_failure; /* set: no attempts, what stands is kept to its end */
        /* what is held */
        Credential *credential;
        Secret *auth; /* of the credential, as targets want it */
        usec_t expires_boot;
        IdentityClaims *claims;
        bool skew_known;
        int64_t skew_usec;
        /* how it goes */
        JobState state;
        Failure *failure; /* of the last attempt */
        char **notices;
        WorkerCall *call;
        bool awaiting_publication; /* the attempt ends when the targets have answered */
        sd_event_source *reread_timer;
        bool reread_done;          /* the identity was read a second time within this attempt */
        bool delivered;            /* the credential stood in every target once */
        Pace pace;
        uint64_t attempts_started, attempts_ended, refreshes;
        usec_t last_attempt_real, last_success_real;
        usec_t last_attempt_boot;
        usec_t next_attempt_boot; /* USEC_INFINITY: none */
        sd_event_source *attempt_timer, *expiry_timer;
        JobTarget *targets;
        size_t n_targets;
        JobChange unannounced; /* for the bus: bits not yet told */
};

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

/* Takes up a credential that an earlier run of the daemon left published, so that nothing is fetched before it
 * is due. It ends at `expires_boot`, which may be sooner than its obtained_boot and lifetime say (the host was
 * switched off meanwhile). `due_boot` as it was fixed then, or 0. Consumes the credential. */
int job_adopt(Job *j, Credential *credential, usec_t expires_boot, usec_t due_boot);
/* When the credential that is held should be replaced, on the boot clock. */
usec_t job_due(const Job *j);
/* Schedules the first attempt: at `delay` from now, or when the adopted credential is due. */
int job_start(Job *j, usec_t delay);
/* Other files: touches only what they change. Consumes the settings. Returns 1 if anything changed, 0. */
int job_reconfigure(Job *j, JobSettings *settings);

/* Asks for an attempt soon; requests while one is under way or waiting are one. Returns 1 and the number of the
 * attempt that answers it; 0 if the configuration keeps the job from trying (see its failure). */
int job_refresh(Job *j, uint64_t *ret_attempt);

bool job_has_valid_credential(const Job *j);
usec_t job_remaining(const Job *j); /* 0 without a valid credential */
/* The failure that people should see: configuration, last attempt, or target; NULL if all is well. */
const Failure *job_failure(const Job *j);
bool job_is_attempting(const Job *j);
/* The first attempt has not ended yet. */
bool job_is_undecided(const Job *j);

/* What came of the last job_observer.publish() for one target. Takes `failure` (copied). */
int job_set_target_result(Job *j, const char *target, TargetResult result, const Failure *failure);
/* The real clock was set: shown times change, deadlines do not. */
void job_clock_changed(Job *j);
