/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of the command line given to the daemon, for "add" and "set". */

#include "ctl/ctl.h"

/* The first argument is the job, the others its settings; `done` says what became of it. With --wait it is
 * waited for. */
void change_job(Ctl *ctl, ClientMethod method, char *const *arguments, const char *done);
