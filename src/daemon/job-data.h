/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job is made of, and what follows from it. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/failure.h"
#include "codec/conf.h"
#include "daemon/job-observer.h"
#include "daemon/worker-link.h"
#include "io/alarm.h"
#include "model/credential.h"
#include "model/identity-config.h"
#include "model/job-config.h"
#include "model/job-state.h"
#include "model/request.h"
#include "model/schedule.h"

/* What all jobs of a daemon share. */
typedef struct JobContext {
        sd_event *event;
        Alarms *attempts, *wakes, *ends; /* of all jobs; with `wakes` attempts wake the host */
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
        const char *name; /* the job's configuration has it */
        Failure *failure; /* if failed */
        TargetResult result;
        bool stands;    /* a credential of this job was published and not withdrawn since */
        bool withdrawn; /* it was, and that has not been told yet */
} JobTarget;

struct Job {
        const JobContext *context;
        const char *name; /* the configuration has it */
        /* what the files say */
        JobConfig *config;
        IdentityConfig *identity;
        Conf *conf;                     /* messages about the files, kept for showing; NULL: none */
        Failure *configuration_failure; /* set: no attempts, what stands is kept to its end */
        /* what is held */
        Credential *credential; /* its dates alone */
        Secret *user_pass;      /* "user:secret" of the credential */
        usec_t expires_boot;
        usec_t due_boot; /* when it should be replaced, fixed once for each credential */
        /* Without a credential, when what an earlier run left ends that cannot be read back. 0: nothing */
        usec_t left_boot;
        int64_t left_expires; /* by the clock of who made it */
        Alarm end;            /* of either */
        IdentityClaims *claims;
        int64_t skew_usec;
        /* how it goes */
        Failure *failure; /* of the last attempt */
        char **notices;
        WorkerCall *call;
        sd_event_source *reread_timer;
        uint64_t attempts_started, attempts_ended, refreshes, failures;
        usec_t last_attempt_real, last_success_real;
        usec_t last_attempt_boot;
        usec_t next_attempt_boot; /* USEC_INFINITY: none */
        Alarm attempt;
        Pace pace;
        JobTarget *targets;
        size_t n_targets;
        JobState state;
        JobChange unannounced; /* for the bus: bits not yet told */
        unsigned heard;        /* during the attempt: bits 1 << WaitEvent */
        /* There are ten thousand of these: flags stand together. */
        bool end_estimated; /* adopted after a reboot: expires_boot was worked out from the real clock */
        bool skew_known;
        bool awaiting_publication; /* the attempt ends when the targets have answered */
        bool reread_done;          /* the identity was read a second time within this attempt */
        bool delivered;            /* the credential stood in every target once */
        bool told_no_wake;
};

/* Nothing is left to tell. */
void job_told(Job *j);

bool job_has_valid_credential(const Job *j);
/* What is held shall stand in the targets: it is valid, or it ended and OnExpiry=retain keeps it there. */
bool job_wants_publication(const Job *j);
/* What an earlier run left, and nobody can read back, shall stay where it stands. */
bool job_wants_left(const Job *j);
usec_t job_remaining(const Job *j); /* 0 without a valid credential */
/* The failure that people should see: configuration, last attempt, or target; NULL if all is well. */
const Failure *job_failure(const Job *j);
bool job_is_attempting(const Job *j);
bool job_is_runtime(const Job *j);  /* its main file stands in /run: it ends with this boot */
bool job_may_attempt(const Job *j); /* its files are right, and it is enabled */
/* The first attempt has not ended yet. */
bool job_is_undecided(const Job *j);
/* The credential stands in every target. */
bool job_is_published(const Job *j);
/* Waiting for it is over: tools have its credential, or will not before somebody changes a configuration. */
bool job_is_settled(const Job *j);
/* When a credential like the one that is held should be replaced, on the boot clock. */
usec_t job_due(const Job *j);

/* Derives the state anew and tells the observer of it, and of `what`. */
void job_update(Job *j, JobChange what);
void job_announce(Job *j, JobChange what);
