/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One attempt of a job, from reading the identity to the last target's answer. */

#include "daemon/job.h"

void job_attempt_start(Job *j);
/* Gives up the attempt that is under way, if any; it counts as ended. */
void job_attempt_cancel(Job *j);
/* A target's result changed: the attempt may have ended by it. */
void job_attempt_target_answered(Job *j);

/* What job.c offers job-attempt.c. */
int job_hold_credential(Job *j, Credential *credential, usec_t expires_boot); /* consumes it */
int job_schedule(Job *j, usec_t boot);
int job_schedule_when_due(Job *j);
void job_update(Job *j, JobChange what);
