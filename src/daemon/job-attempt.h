/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One attempt of a job, from reading the identity to the last target's answer. */

#include "daemon/job-data.h"

void job_attempt_start(Job *j);
/* Gives up the attempt that is under way, if any; it counts as ended. */
void job_attempt_cancel(Job *j);
/* A target's result changed: the attempt may have ended by it. */
void job_attempt_target_answered(Job *j);
