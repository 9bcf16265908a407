/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking up what an earlier run of the daemon left: a restart costs no exchange that was not due. */

#include "daemon/job.h"
#include "daemon/state-data.h"
#include "model/configuration.h"

typedef struct AdoptionView AdoptionView; /* a target as it was read */

typedef struct Adoption {
        int fragments_fd;
        const char *root;
        StateData *state;
        uint8_t boot_id[16];
        const Configuration *configuration;
        AdoptionView *views; /* of the files that were needed */
        size_t n_views;
} Adoption;

/* Looks for credentials of this job's robot, in its fragment and in its targets, and hands the one that
 * ends last to the job. Returns 1 if there was one that still lives, 0 if not, -ENOMEM. */
int adoption_try(Adoption *a, Job *j);

/* Fills in what broken files do not say any more of a job whose credential stands: its registry, robot,
 * scopes and targets as they were. Changes nothing if the files say all of it, or nothing stands. Returns 0
 * or -ENOMEM. */
int adoption_recall(Adoption *a, JobConfig *config);

/* Targets are read once for many jobs. To be called when these are through; the next look reads anew. */
void adoption_forget(Adoption *a);

typedef struct AdoptionClock {
        usec_t boot, real;
        bool same_boot; /* the record was written on this boot */
} AdoptionClock;

/* Computed apart from everything else for its tests. `issued` and `expires` as the token says, seconds since
 * 1970. `record` may be NULL. Returns 1, or 0 if the credential has ended. */
int adoption_times(int64_t issued, int64_t expires, const JobRecord *record, const AdoptionClock *clock,
                   JobTimes *ret);
