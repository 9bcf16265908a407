/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state that a job shows, derived from facts and never stored beside them. Pure. */

#include "base/failure.h"
#include "base/macro.h"

typedef enum JobState {
        JOB_INACTIVE,   /* nothing tried yet, or disabled */
        JOB_REFRESHING, /* an attempt is under way */
        JOB_FRESH,      /* the credential stands in every target */
        JOB_RETRYING,   /* the last attempt failed, a valid credential still stands */
        JOB_EXPIRED,    /* nothing valid, withdrawn; goes on trying */
        JOB_FAILED,     /* the configuration, here or at the registry, cannot work; tries slowly */
        _JOB_STATE_MAX,
        _JOB_STATE_INVALID = -EINVAL,
} JobState;

const char *job_state_to_string(JobState s);
JobState job_state_from_string(const char *s);

typedef struct JobFacts {
        bool disabled;
        bool attempting;        /* an attempt is under way, publication included */
        bool valid;             /* a credential that has not expired is at hand */
        bool published;         /* … and stands in every target */
        const Failure *failure; /* of the last attempt, of the configuration or of a target; or NULL */
} JobFacts;

JobState job_state_derive(const JobFacts *facts);
