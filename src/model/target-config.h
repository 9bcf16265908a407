/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A target: the files that one kind of container tools reads and credentials are merged into, or a Secret of
 * a cluster. Built in, defined by *.target files (pullauth.target(5)), or of one user of this host. */

#include <sys/types.h>

#include "base/macro.h"
#include "codec/conf.h"
#include "codec/quoting.h"
#include "model/cluster-config.h"
#include "model/job-config.h"

/* Under which keys a credential stands. */
typedef enum TargetKeys {
        TARGET_KEYS_SCOPES,   /* each scope of the job */
        TARGET_KEYS_REGISTRY, /* the host alone: for tools that know no longer ones */
        _TARGET_KEYS_MAX,
        _TARGET_KEYS_INVALID = -EINVAL,
} TargetKeys;

/* What else may stand in the file. */
typedef enum TargetPolicy {
        TARGET_POLICY_MERGE, /* whatever others put there */
        TARGET_POLICY_OWN,   /* nothing: the file is made anew each time, and holds what jobs want alone */
        _TARGET_POLICY_MAX,
        _TARGET_POLICY_INVALID = -EINVAL,
} TargetPolicy;

const char *target_policy_to_string(TargetPolicy p);
TargetPolicy target_policy_from_string(const char *s);
const char *target_keys_to_string(TargetKeys k);
TargetKeys target_keys_from_string(const char *s);

typedef struct TargetConfig {
        char *name;
        char **paths; /* all hold the same; "/…", or "~USER/…" below the home of a user; NULL if missing or
                       * wrong (then conf has the error) */
        char **bases; /* what the tool would read if ours were not there: taken along */
        char *owner;  /* of a file that is not there yet, name or number; NULL: root; an existing one */
        char *group;  /* keeps what it has */
        mode_t mode;  /* likewise */
        mode_t directory_mode; /* the directory is made with it if missing; 0: never made */
        TargetKeys keys;
        ClusterConfig *cluster; /* a Secret in the place of files: its place is the one path; or NULL */
        TargetPolicy policy;    /* own, if there is a template */
        bool policy_set;
        char *template;        /* absolute, or a name in target_template_directory(); NULL: an auth.json */
        char **variables;      /* of the template: "name=value" */
        QuotingLanguage quote; /* likewise */
        bool quote_set;
        char **reload_units; /* told when the file changed */
        unsigned n_more;     /* owners beside the first one; once there are some, nobody changes anything */
} TargetConfig;

/* Where templates lie that are named without a path, the first one counts; NULL behind the last one. */
const char *target_template_directory(size_t i);

TargetConfig *target_config_free(TargetConfig *t);
DEFINE_CLEANUP(TargetConfig *, target_config_free)

/* What is there without any file: of a built-in name, or "user:NAME". Returns 1, 0 if there is no such
 * target, -ENOMEM. */
int target_config_default(const char *name, TargetConfig **ret);
/* "system", "podman", …; NULL behind the last one. */
const char *target_config_builtin(size_t i);
/* Starts from what is built in under that name, if anything is. As identity_config_new(). */
int target_config_new(const char *name, Conf *conf, TargetConfig **ret);
/* A place that no target has any more and that holds entries of ours. */
int target_config_new_orphan(const char *path, TargetConfig **ret);
bool target_config_is_orphan(const TargetConfig *t);
/* One owner more, each of whom frees. */
TargetConfig *target_config_share(TargetConfig *t);
bool target_config_equal(const TargetConfig *a, const TargetConfig *b);

/* Cuts "~USER/REST" in two. Returns 1; 0 for a path that begins at the root; -ENOMEM. */
int target_path_split(const char *path, char **ret_user, const char **ret_rest);
/* On a disk: survives a reboot, wants fsync. */
bool target_path_is_persistent(const char *path);
/* The keys under which a target has what the job gets; `*ret_n` of them. */
char *const *target_config_keys(const TargetConfig *t, const JobConfig *job, size_t *ret_n);
