/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signals of a job: moments in its life, told once each. */

#include "daemon/bus-context.h"

/* Sends what `what` says has happened. For after the news of properties: whoever looks then finds what
 * fits. */
void bus_job_emit_events(const BusContext *b, sd_bus *bus, Job *j, JobChange what);
