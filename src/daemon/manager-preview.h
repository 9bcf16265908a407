/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What targets would look like, without writing any. */

#include "daemon/manager.h"

/* The whole text of a target as it would be written now, without the secrets in it. Returns 0; 1 with
 * *reterr_failure if it could not be; -ENOENT if there is no such target; -ENOMEM. */
int manager_preview_target(const Manager *m, const char *target, char **ret, Failure **reterr_failure);

/* One sentence about what a new credential of the job would change in one of its targets. Returns 0, 1 with
 * *reterr_failure, or a negative errno. */
int manager_preview_job(const Manager *m, const Job *j, const char *target, char **ret,
                        Failure **reterr_failure);
