/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which keys of a target to write and which to remove, decided from what stands there, what is ours, and what
 * is wanted. Pure but for the store it asks. */

#include "base/secret.h"
#include "daemon/state-store.h"
#include "daemon/target.h"
#include "model/auth-file.h"

typedef struct TargetPlan {
        AuthEntry *entries; /* for auth_file_merge(); keys point into wanted[] or into `removed` */
        size_t n_entries;
        const Wanted **owners; /* entries[i] is for owners[i]; NULL for removals */
        char **removed;        /* keys that stop being ours once the file is written */
} TargetPlan;

/* `text` is the present content (NULL: no file). Sets wanted[i].failure where a key is somebody else's.
 * Returns 0, -EBADMSG with *reterr, -ENOMEM. */
int target_plan_make(StateStore *store, const char *target, const char *path, const Secret *text,
                     Wanted *wanted, size_t n_wanted, TargetPlan *ret, JsonError *reterr);
int target_plan_own(const TargetPlan *p, StateStore *store, const char *target);
void target_plan_disown(const TargetPlan *p, StateStore *store, const char *target);
void target_plan_done(TargetPlan *p);
