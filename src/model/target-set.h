/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All targets there are: those that are built in, as far as no file changes or masks them, and those of
 * files. Targets of users ("user:NAME") come into being when they are asked for. */

#include "model/target-config.h"

typedef struct TargetDefinition {
        TargetConfig *config;
        Conf *conf; /* its messages; NULL: built in, no file */
} TargetDefinition;

typedef struct TargetSet {
        TargetDefinition *items; /* what is built in first, in the order of the manual; files behind */
        size_t n;
} TargetSet;

int target_set_new(TargetSet **ret);
TargetSet *target_set_free(TargetSet *s);
DEFINE_CLEANUP(TargetSet *, target_set_free)

/* Takes up what `conf` says and consumes it; NULL: the name is masked. Returns 0 or -ENOMEM. */
int target_set_add(TargetSet *s, const char *name, Conf *conf);
/* Once, when all were added: two targets cannot have the same file. What is wrong ends in the messages. */
int target_set_check(const TargetSet *s);

const TargetDefinition *target_set_find(const TargetSet *s, const char *name);
/* As somebody who has to free it has it. Returns 1, 0 if there is no such target or its files are wrong,
 * -ENOMEM. */
int target_set_get(const TargetSet *s, const char *name, TargetConfig **ret);
/* "system, podman, …" for messages. */
int target_set_names(const TargetSet *s, char **ret);
