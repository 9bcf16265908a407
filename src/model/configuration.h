/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything the administrator's files say, at one moment, cross-checked. Pure: who read the
 * files hands them in. */

#include "base/failure.h"
#include "codec/conf.h"
#include "model/daemon-config.h"
#include "model/identity-config.h"
#include "model/job-config.h"
#include "model/target-set.h"

typedef struct IdentityDefinition {
        IdentityConfig *config;
        Conf *conf; /* for its messages */
} IdentityDefinition;

typedef struct JobDefinition {
        JobConfig *config;
        IdentityConfig *identity; /* of the same Configuration; NULL if it is missing or wrong */
        Conf *conf;               /* messages about this job's files and its identity */
        Failure *failure;         /* why it cannot work, or NULL */
} JobDefinition;

void job_definition_done(JobDefinition *d);

typedef struct Configuration {
        DaemonConfig *daemon;
        TargetSet *targets;
        IdentityDefinition *identities; /* sorted by name */
        size_t n_identities;
        JobDefinition *jobs; /* sorted by name */
        size_t n_jobs;
        Conf *messages; /* what belongs to no job, identity or target */
} Configuration;

typedef enum ConfigurationKind {
        CONFIGURATION_TARGETS,
        CONFIGURATION_DAEMON, /* names targets; jobs take its defaults */
        CONFIGURATION_IDENTITIES,
        CONFIGURATION_JOBS,
        _CONFIGURATION_KIND_MAX,
        _CONFIGURATION_KIND_INVALID = -EINVAL,
} ConfigurationKind;

/* For conf_tree_load_kinds(): where the files of each kind lie. */
extern const ConfKind configuration_kinds[_CONFIGURATION_KIND_MAX];

int configuration_new(Configuration **ret);
Configuration *configuration_free(Configuration *c);
DEFINE_CLEANUP(Configuration *, configuration_free)

/* What they were is taken out, or of no use any more. */
void configuration_forget_jobs(Configuration *c);

/* Takes up what `conf` says and consumes it; NULL for a target that is masked. What is wrong with it ends in
 * its messages. Returns 0 or -ENOMEM. */
int configuration_add(Configuration *c, ConfigurationKind kind, const char *name, Conf *conf);
/* Once, when everything was added: sorts, and holds it against each other. What is wrong with a job ends in
 * its definition. Returns 0 or -ENOMEM. */
int configuration_check(Configuration *c);

/* Calls `visit` for every message there is, in a settled order; `job` is the name of the one that it is
 * about, or NULL. Ends early, with what it returned, when it returns other than 0. */
typedef int (*configuration_visit_t)(const ConfMessage *m, const char *job, void *userdata);
int configuration_each_message(const Configuration *c, configuration_visit_t visit, void *userdata);

/* One job anew, among `others` that go on as they are and have the scopes that they have. Consumes
 * `conf`. What is wrong with the job ends in its definition, which leans on `c`. Returns 0 or -ENOMEM. */
int configuration_define_job(const Configuration *c, const char *name, Conf *conf,
                             const JobConfig *const *others, size_t n_others, JobDefinition *ret);
