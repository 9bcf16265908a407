/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The jobs that the manager holds, sorted by name. */

#include "daemon/manager-observer.h"
#include "model/configuration.h"

typedef enum ManagerApplyFlags {
        MANAGER_APPLY_AT_START = 1 << 0, /* the daemon just started: maybe with a whole site of others */
} ManagerApplyFlags;

/* Makes, changes and ends jobs so that they are what `configuration` defines, and keeps it (it is
 * consumed, and its job definitions are hollow from then on). Returns 0 or the last errno of a job that
 * could not be had. */
int manager_apply(Manager *m, Configuration *configuration, ManagerApplyFlags flags);

/* The same for one job. `definition` (consumed, hollow from then on) is NULL if there is none any more. */
int manager_apply_job(Manager *m, const char *name, JobDefinition *definition);
/* What `conf` (consumed) would make of the job, among the others as they are. Returns 0 or -ENOMEM. */
int manager_define_job(const Manager *m, const char *name, Conf *conf, JobDefinition *ret);

/* NULL if there is none. */
Job *manager_find_job(const Manager *m, const char *name);
/* The job whose credential tools would take for the repository ("quay.io/acme/app"): of the enabled ones
 * that with the longest scope; of equal ones rather one that can work, then the first by name. NULL if
 * there is none. */
Job *manager_find_job_for(const Manager *m, const char *repository, const char **ret_scope);
