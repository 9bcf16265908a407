/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may come next on a command line, out of the tables of commands and options. Pure. */

#include "base/macro.h"
#include "ctl/verb.h"

/* Names that only the host knows; each may be NULL. */
typedef struct CompletionNames {
        char *const *jobs, *const *registries, *const *identities, *const *targets;
} CompletionNames;

/* Whether those names are needed for what comes next; without, nobody has to be asked. */
bool complete_needs_names(char *const *words);
/* `words` stand behind "pullauthctl"; the last one, maybe empty, is being typed. Each candidate begins with
 * it; behind a tabulator may stand what it is. One that ends in '=' goes on. Returns 0 or -ENOMEM. */
int complete(char *const *words, const CompletionNames *names, char ***ret);
