/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of pullauthctl: one row each, one file each. */

#include "base/macro.h"
#include "ctl/ctl.h"

/* What a command is given beside its options; completion offers what there is of it. */
typedef enum ArgumentKind {
        ARGUMENT_NONE,
        ARGUMENT_JOB,
        ARGUMENT_IDENTITY,
        ARGUMENT_TARGET,
        ARGUMENT_DEFINITION, /* a job, or a file of any kind: edge, node.identity */
        ARGUMENT_NEW,        /* a name that is not there yet */
        ARGUMENT_SETTING,    /* KEY=VALUE */
        ARGUMENT_FILE,
        ARGUMENT_COMMAND,
        ARGUMENT_SHELL,
        ARGUMENT_TOOL, /* something that reads credentials */
        ARGUMENT_WORD,
        _ARGUMENT_KIND_MAX,
        _ARGUMENT_KIND_INVALID = -EINVAL,
} ArgumentKind;

typedef enum VerbGroup {
        GROUP_LOOK,
        GROUP_CREDENTIAL,
        GROUP_FIND_OUT,
        GROUP_CONFIGURE,
        GROUP_TOOL,
        _VERB_GROUP_MAX,
        _VERB_GROUP_INVALID = -EINVAL,
} VerbGroup;

typedef struct Verb {
        const char *name;
        const char *arguments; /* for the help */
        VerbGroup group;
        unsigned min, max; /* how many arguments */
        ArgumentKind first, others;
        uint32_t options;    /* beside OPTIONS_COMMON */
        bool paged;          /* its output may be long */
        const char *summary; /* one line */
        const char *help;    /* the rest, for --help of this command */
        /* Notes in `ctl` how it went. `arguments` ends with NULL. */
        void (*run)(Ctl *ctl, char *const *arguments);
} Verb;

#define ARGUMENTS_MAX 4096

const Verb *verb_find(const char *name);
const Verb *verb_all(size_t *ret_n);
/* The name of the command that was probably meant, or NULL. */
const char *verb_near(const char *name);
/* Says that there is none of this name, and which one was probably meant. */
void verb_complain_unknown(const char *name);

/* Printing the help of one command, or of all with NULL. */
void help_print(const Verb *verb);

void verb_summary(Ctl *ctl, char *const *arguments); /* without a command */

void verb_add(Ctl *ctl, char *const *arguments);
void verb_cat(Ctl *ctl, char *const *arguments);
void verb_check(Ctl *ctl, char *const *arguments);
void verb_completion(Ctl *ctl, char *const *arguments);
void verb_credential(Ctl *ctl, char *const *arguments);
void verb_disable(Ctl *ctl, char *const *arguments);
void verb_edit(Ctl *ctl, char *const *arguments);
void verb_enable(Ctl *ctl, char *const *arguments);
void verb_federate(Ctl *ctl, char *const *arguments);
void verb_help(Ctl *ctl, char *const *arguments);
void verb_identity(Ctl *ctl, char *const *arguments);
void verb_list(Ctl *ctl, char *const *arguments);
void verb_metrics(Ctl *ctl, char *const *arguments);
void verb_monitor(Ctl *ctl, char *const *arguments);
void verb_refresh(Ctl *ctl, char *const *arguments);
void verb_reload(Ctl *ctl, char *const *arguments);
void verb_remove(Ctl *ctl, char *const *arguments);
void verb_render(Ctl *ctl, char *const *arguments);
void verb_reset_failed(Ctl *ctl, char *const *arguments);
void verb_set(Ctl *ctl, char *const *arguments);
void verb_status(Ctl *ctl, char *const *arguments);
void verb_targets(Ctl *ctl, char *const *arguments);
void verb_test(Ctl *ctl, char *const *arguments);
void verb_wait(Ctl *ctl, char *const *arguments);
void verb_which(Ctl *ctl, char *const *arguments);
