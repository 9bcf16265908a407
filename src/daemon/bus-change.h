/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs made, changed and removed for callers whose right was found: files, then a reload of that job.
 *
 * All return 0, or a negative errno with *reterror set: then nothing was changed, or the message says
 * what. */

#include "daemon/bus-setting.h"

/* A file of its own, under a name that nothing has. */
int bus_change_create(const BusContext *b, const char *name, const JobEdit *settings, BusChangeFlags flags,
                      sd_bus_error *reterror);
/* In a drop-in, on top of what the files of others say. */
int bus_change_settings(const BusContext *b, const char *name, const JobEdit *settings, BusChangeFlags flags,
                        sd_bus_error *reterror);
/* Likewise, while what the files of others say is not that. */
int bus_change_enabled(const BusContext *b, const char *name, bool enabled, BusChangeFlags flags,
                       sd_bus_error *reterror);
/* All its files in /etc and /run, whoever wrote them. */
int bus_change_remove(const BusContext *b, const char *name, sd_bus_error *reterror);
