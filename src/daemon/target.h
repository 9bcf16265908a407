/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One file of a target, brought in line with what jobs want of it. */

#include "base/failure.h"
#include "daemon/state-store.h"
#include "daemon/target-file.h"
#include "daemon/target-plan.h"
#include "model/target-config.h"

typedef struct Target Target;

/* `root` as in `pullauthd --root=`, `path` one of those of `config`. The store, `config` and `path` must
 * outlive the target, and `root` as well. */
int target_new(const char *root, const TargetConfig *config, const char *path, StateStore *store,
               Target **ret);
Target *target_free(Target *t);
DEFINE_CLEANUP(Target *, target_free)

const char *target_path(const Target *t); /* with the root */
/* What is not right about the file, why there is none for example, and yet no failure; NULL. */
const char *target_note(const Target *t);

/* Removes what a killed writer left beside the file. */
void target_sweep(Target *t);

/* Reads the file, merges, and replaces it if anything has to change. Keys that are ours but not in
 * `wanted` are taken out; keys that are not ours are left alone to the byte. Keys become ours before the
 * file is written, so that no crash leaves an entry that nobody owns. Returns TARGET_UNCHANGED or
 * TARGET_WRITTEN (look at each wanted[i].failure in both cases); TARGET_REFUSED with *reterr_failure when
 * the file as a whole could not be brought in line and nothing new is in it; -ENOMEM. */
int target_sync(Target *t, Wanted *wanted, size_t n_wanted, Failure **reterr_failure);

/* True if nobody has changed the file since target_sync() was last content with it. */
bool target_is_as_left(const Target *t);

/* What target_sync() would make of the file, and with which of `wanted`; changes nothing. Returns 0 with the
 * whole text, empty if there would be no file; TARGET_REFUSED with *reterr_failure; -ENOMEM. */
int target_preview(const Target *t, Wanted *wanted, size_t n_wanted, Secret **ret, Failure **reterr_failure);
