/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all jobs together want of one target, and telling each job what came of it. */

#include "daemon/job.h"
#include "daemon/target.h"

/* Lists what stands in the way of nobody: each key once. Two jobs may hold one key for a while, when a job's
 * files were broken by the very change that gave its scope to another; then the one whose files are good has
 * it. The list is to be freed with free(), what it points at belongs to the jobs. Returns 0 or -ENOMEM. */
int wanted_collect(Job *const *jobs, size_t n_jobs, const char *target, Wanted **ret, size_t *ret_n);

/* Hands the results of target_sync() to the jobs. `failure` is the file's as a whole, or NULL. */
void wanted_report(Job *const *jobs, size_t n_jobs, const char *target, const Wanted *wanted, size_t n,
                   const Failure *failure);
