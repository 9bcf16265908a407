/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What jobs write to the journal: one line per refresh, one per change of what is wrong. */

#include "daemon/job-data.h"

void job_log_refreshed(const Job *j);
void job_log_failed(const Job *j, const Failure *f);
void job_log_expired(const Job *j);
void job_log_target(const Job *j, const JobTarget *t);
