/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that are ours as a whole, not by their keys alone. */

#include "base/secret.h"
#include "daemon/state-data.h"
#include "daemon/target-plan.h"

/* Whether all of the file at `path` that says `text` (NULL: there is none) is ours. */
bool target_whole_is_ours(StateData *s, const char *path, const Secret *text);
/* Whatever it says. */
bool target_whole_is_claimed(StateData *s, const char *path);
/* It will be, as long as it is `text`; `standing` is what stands there before, or NULL. Returns 0 or
 * -ENOMEM. */
int target_whole_own(StateData *s, const char *path, const Secret *text, const Secret *standing);
/* It is from here on, whatever it says. Returns 0 or -ENOMEM. */
int target_whole_claim(StateData *s, const char *path);

/* What stands in the auth.json `text` that is not among the entries of `plan`, so that it would be lost with
 * the rest: a key, or another member. Returns 1 with its name, 0 if there is nothing, -EBADMSG, -ENOMEM. */
int target_whole_find_foreign(const Secret *text, const TargetPlan *plan, char **ret);
/* Leaves those entries in `plan` alone whose keys are ours already. */
void target_whole_keep_owned(StateData *s, const char *path, TargetPlan *plan);
