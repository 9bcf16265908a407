/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which job answers for a registry as a whole, for tools that name no more than its host. Pure. */

#include "daemon/job-data.h"

/* Zero it, show it all jobs of the registry in the order of their names, then ask. */
typedef struct RegistryChoice {
        Job *whole, *first, *second;
} RegistryChoice;

void registry_choice_consider(RegistryChoice *c, Job *j);
/* The job that has the whole registry as a scope, rather one that can work; else the only one. NULL if
 * there is none, or several of which none is for all of it (then `first` and `second` are two of them). */
Job *registry_choice_job(const RegistryChoice *c);
/* The scope of that job that the credential is taken from. */
const char *registry_choice_scope(const Job *j);
