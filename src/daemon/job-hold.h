/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holding a credential: until it ends, and until it is due. */

#include "daemon/job-data.h"

/* Takes the place of the one that is held; consumes it, also on failure. */
int job_hold_credential(Job *j, Credential *credential, usec_t expires_boot);
void job_drop_credential(Job *j);
/* Its end has come. */
void job_end_credential(Job *j);
/* It ends at another time than was thought. */
int job_limit_credential(Job *j, usec_t expires_boot);
/* Without a credential: see left_boot and left_expires. */
int job_hold_left(Job *j, usec_t expires_boot, int64_t expires);
/* The real clock was set. */
void job_judge_left(Job *j);
/* The next attempt, on the boot clock; USEC_INFINITY: none. */
int job_schedule(Job *j, usec_t boot);
int job_schedule_when_due(Job *j);
