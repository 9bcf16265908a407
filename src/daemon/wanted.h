/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all jobs together want of one target, and telling each job what came of it. */

#include "daemon/job.h"
#include "daemon/target.h"

/* Lists what stands in the way of nobody: each key once. Two jobs may hold one key for a while, when a job's
 * files were broken by the very change that gave its scope to another; then the one whose files are good has
 * it. The list is to be freed with free(), what it points at belongs to the jobs. Returns 0 or -ENOMEM. */
int wanted_collect(Job *const *jobs, size_t n_jobs, const TargetConfig *target, Wanted **ret, size_t *ret_n);

/* The same for a file that is no target any more: jobs whose own files are broken keep what they have there,
 * for nobody knows what they shall be. Keys point into `state`. */
int wanted_collect_kept(Job *const *jobs, size_t n_jobs, StateData *state, const char *path, Wanted **ret,
                        size_t *ret_n);
/* Takes out all but the first claim to each key, and what has no credential; the order of the rest stays.
 * Returns 0 or -ENOMEM. */
int wanted_settle(Wanted *wanted, size_t *n);
/* What a job wants of a target, at `wanted`, which has room for all its scopes and one more; with
 * `user_pass` in the place of its credential. Returns how many keys that are. */
size_t wanted_of_job(const Job *j, const TargetConfig *target, const Secret *user_pass, Wanted *wanted);

/* Hands the results of target_sync() to the jobs. `failure` is the file's as a whole, or NULL. */
void wanted_report(Job *const *jobs, size_t n_jobs, const char *target, const Wanted *wanted, size_t n,
                   const Failure *failure);
