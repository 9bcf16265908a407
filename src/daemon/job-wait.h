/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The wait between a failure and the next attempt. */

#include "daemon/job-data.h"

/* Waits as the pace of `failure` wants it (NULL: for lack of memory), or less if what it would wait for
 * happened while the attempt was under way. */
void job_wait(Job *j, const Failure *failure);
/* Something happened while the job waits, or does not. */
void job_wait_event(Job *j, WaitEvent event);
