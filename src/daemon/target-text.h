/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Targets whose file is made anew each time: what it says, as a whole. */

#include "base/failure.h"
#include "daemon/target-plan.h"
#include "model/target-config.h"

/* An auth.json that says nothing: tools that are told to read it fail without it. */
#define TARGET_TEXT_NOTHING "{}"

/* The text, of the template if there is one, with those of `wanted` that have a credential and no failure.
 * `root` as in `pullauthd --root=`, `path` names the target file in messages. Returns 0 with *ret, which
 * stays NULL if the text can say nothing without a credential and there is none; 1 with *reterr_failure;
 * -ENOMEM. */
int target_text_make(const char *root, const TargetConfig *config, const char *path, const Wanted *wanted,
                     size_t n_wanted, Secret **ret, Failure **reterr_failure);
