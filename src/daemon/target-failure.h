/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is said of a target file that is not as it has to be for us to write it. */

#include "codec/json-text.h"
#include "daemon/target-file.h"

/* The four return TARGET_REFUSED with a failure, or -ENOMEM. */
int target_fail_malformed(const TargetFile *t, const TargetFound *f, const JsonError *error,
                          Failure **reterr);
/* `error`: why the file that ours would hide cannot be read. */
int target_fail_base(const TargetFile *t, const TargetFound *f, int error, Failure **reterr);
/* All of it would be replaced. */
int target_fail_template(const TargetFile *t, Failure **reterr);
/* `what`: the first thing in it that is not ours. */
int target_fail_own(const TargetFile *t, const char *what, Failure **reterr);

/* What an administrator should know though all went well; *ret stays as it is if there is nothing. `adds`:
 * we put a credential there. Returns 0 or -ENOMEM. */
int target_describe_note(const TargetFile *t, const TargetFound *f, bool adds, char **ret);
