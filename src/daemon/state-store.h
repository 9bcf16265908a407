/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What survives a restart, on disk: one versioned JSON file, replaced atomically. */

#include "daemon/state-data.h"

typedef struct StateStore StateStore;

/* Opens "state.json" in `directory` (made if missing, 0700). A file that cannot be understood (torn, not
 * ours, of a newer version) is set aside as "state.json.unusable" and told through *reterr_problem (a
 * malloc'ed sentence; NULL if all is well); that is no error: the store then starts empty.
 * Returns 0, or a negative errno when nothing can be stored at all. */
int state_store_open(const char *directory, StateStore **ret, char **reterr_problem);
StateStore *state_store_free(StateStore *s);
DEFINE_CLEANUP(StateStore *, state_store_free)

/* What it holds, to be looked at and changed through daemon/state-data.h. */
StateData *state_store_data(StateStore *s);
/* Writes the file if anything changed since the last save. Returns 0 or a negative errno; the change stays
 * noted then. */
int state_store_save(StateStore *s);
