/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "KEY=VALUE" words into the settings of a job, with the names that the keys have in its file. Pure. */

#include "client/method.h"

/* Reads all of them; the same list again adds to it, anything else said again replaces. Returns 0; 1 with
 * *reterr set to a sentence that says what is wrong; -ENOMEM. */
int settings_parse(JobSettings *l, char *const *words, char **reterr);
/* The keys there are, as "KEY=", for completion. */
int settings_keys(char ***ret);
/* Values that are usual after a key, blank separated, or NULL. */
const char *settings_choices(const char *key);
