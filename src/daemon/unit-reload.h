/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units that have to be told when a target changes (ReloadUnit= in pullauth.target(5)): the service manager
 * is asked to reload them, or to restart those that cannot reload and run. */

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct UnitReloads UnitReloads;

typedef struct UnitReloadsClient {
        /* Something else is to be said of a unit than before. */
        void (*changed)(void *userdata);
        /* The unit was told of all changes so far, or never will be of these. */
        void (*told)(const char *unit, void *userdata);
        void *userdata;
} UnitReloadsClient;

int unit_reloads_new(sd_event *event, const UnitReloadsClient *client, UnitReloads **ret);
UnitReloads *unit_reloads_free(UnitReloads *l);
DEFINE_CLEANUP(UnitReloads *, unit_reloads_free)

/* The bus came or went (NULL). What was asked for and not answered is asked for again. */
void unit_reloads_set_bus(UnitReloads *l, sd_bus *bus);

/* What these units read has changed. Many changes in a row are few requests. Returns 0 or -ENOMEM. */
int unit_reloads_want(UnitReloads *l, char *const *units);

/* Those that were not told yet, or have not answered. Returns 0 or -ENOMEM. */
int unit_reloads_pending(const UnitReloads *l, char ***ret);

/* Why the last request came to nothing, and what to do about it; NULL: all is well as far as is known. */
const char *unit_reloads_problem(const UnitReloads *l, const char *unit);
