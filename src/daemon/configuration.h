/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything the administrator's files say, at one moment, cross-checked. */

#include "base/failure.h"
#include "codec/conf.h"
#include "model/identity-config.h"
#include "model/job-config.h"

typedef struct IdentityDefinition {
        IdentityConfig *config;
        Conf *conf; /* for its messages */
} IdentityDefinition;

typedef struct JobDefinition {
        JobConfig *config;
        const IdentityConfig *identity; /* of the same Configuration; NULL if it is missing or wrong */
        Conf *conf;                     /* messages about this job's files and its identity */
        Failure *failure;               /* why it cannot work, or NULL */
} JobDefinition;

typedef struct Configuration {
        IdentityDefinition *identities; /* sorted by name */
        size_t n_identities;
        JobDefinition *jobs; /* sorted by name */
        size_t n_jobs;
        Conf *messages; /* what belongs to no job and no identity */
} Configuration;

/* Reads and checks everything below `root`. What is wrong with a job ends in its definition. Returns 0,
 * or an errno when the machine itself is in trouble; the caller then keeps what it has. */
int configuration_load(const char *root, Configuration **ret);
Configuration *configuration_free(Configuration *c);
DEFINE_CLEANUP(Configuration *, configuration_free)
