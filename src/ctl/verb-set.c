/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl set": settings of a job changed as "systemctl set-property" changes those of a unit.
 *
 * An empty value means the default, whatever files say. The job's own file is not touched: the daemon
 * writes a drop-in. */

#include "ctl/change.h"
#include "ctl/verb.h"

void verb_set(Ctl *ctl, char *const *arguments) {
        change_job(ctl, METHOD_CHANGE_JOB, arguments, "changed");
}
