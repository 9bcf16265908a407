/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of pullauthctl: one row each, one file each. */

#include "base/macro.h"
#include "ctl/ctl.h"

typedef struct Verb {
        const char *name;
        const char *arguments; /* for the help */
        bool takes_jobs;
        bool waits;          /* takes --wait and --timeout= */
        const char *summary; /* one line */
        const char *help;    /* the rest, for --help of this command */
        /* Notes in `ctl` how it went. `arguments` ends with NULL. */
        void (*run)(Ctl *ctl, char *const *arguments);
} Verb;

const Verb *verb_find(const char *name);
const Verb *verb_all(size_t *ret_n);

/* Printing the help of one command, or of all with NULL. */
void help_print(const Verb *verb);

void verb_summary(Ctl *ctl, char *const *arguments); /* without a command */
void verb_list(Ctl *ctl, char *const *arguments);
void verb_status(Ctl *ctl, char *const *arguments);
void verb_refresh(Ctl *ctl, char *const *arguments);
void verb_reload(Ctl *ctl, char *const *arguments);
void verb_help(Ctl *ctl, char *const *arguments);
