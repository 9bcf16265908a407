/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Targets that have a template: what their file says, as a whole. */

#include "base/failure.h"
#include "daemon/target-plan.h"
#include "model/target-config.h"

/* The text with those of `wanted` that have a credential and no failure. `root` as in `pullauthd --root=`,
 * `path` names the target file in messages. Returns 0 with *ret, which stays NULL if the text can say
 * nothing without a credential and there is none; 1 with *reterr_failure; -ENOMEM. */
int target_text_make(const char *root, const TargetConfig *config, const char *path, const Wanted *wanted,
                     size_t n_wanted, Secret **ret, Failure **reterr_failure);
