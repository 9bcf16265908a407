/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job tells of itself, and to whom: it knows no manager and no bus. */

typedef struct Job Job;

/* What changed, so that observers need not compare. */
typedef enum JobChange {
        JOB_CHANGED_CONFIGURATION = 1 << 0,
        JOB_CHANGED_STATE = 1 << 1,      /* state, failure, notices, counters, times of attempts */
        JOB_CHANGED_CREDENTIAL = 1 << 2, /* issued, expires */
        JOB_CHANGED_IDENTITY = 1 << 3,   /* claims, clock skew */
        JOB_CHANGED_TARGETS = 1 << 4,
        _JOB_CHANGED_ALL = (1 << 5) - 1,
        /* Not values but moments, told once each. */
        JOB_HAPPENED_REFRESHED = 1 << 5, /* the credential stands in every target */
        JOB_HAPPENED_FAILED = 1 << 6,    /* an attempt did */
        JOB_HAPPENED_EXPIRED = 1 << 7,
        JOB_HAPPENED_WITHDRAWN = 1 << 8, /* see JobTarget */
} JobChange;

typedef struct JobObserver {
        void (*changed)(Job *job, JobChange what, void *userdata);
        /* The credential came, changed or went: fragment and targets have to follow. The targets' results
         * are handed in with job_set_target_result(). */
        void (*publish)(Job *job, void *userdata);
        /* An attempt ended, successfully or not. */
        void (*ended)(Job *job, void *userdata);
        void *userdata;
} JobObserver;
