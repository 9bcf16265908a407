/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One method of the manager for each of several jobs. */

#include "ctl/ctl.h"

typedef struct Each {
        ClientMethod method;
        const char *done; /* "edge: DONE" when it worked */
        uint64_t flags;
        bool literal; /* patterns are for names that do no harm */
} Each;

/* Calls the method for each job that is meant; what went wrong was reported, and after a refusal that holds
 * for all the rest is left. `ret_names` (may be NULL): the jobs that it worked for. */
void each_job(Ctl *ctl, const Each *each, char *const *names, char ***ret_names);
