/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl add": a robot account more, in one line.
 *
 * The keys are those of a job's file; the daemon checks them and writes that file. */

#include "ctl/change.h"
#include "ctl/verb.h"

void verb_add(Ctl *ctl, char *const *arguments) {
        change_job(ctl, METHOD_CREATE_JOB, arguments, "added");
}
