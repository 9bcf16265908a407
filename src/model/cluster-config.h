/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A Secret of a Kubernetes cluster in the place of files: section [Kubernetes] of *.target files. */

#include "model/identity-config.h"

/* What becomes of the Secret, as External Secrets Operator has it. */
typedef enum ClusterCreate {
        CLUSTER_OWNER,  /* ours as a whole: made, and removed when the target goes */
        CLUSTER_MERGE,  /* somebody else's: never made, our entries are put in and taken out */
        CLUSTER_ORPHAN, /* ours as a whole, but left when the target goes */
        _CLUSTER_CREATE_MAX,
        _CLUSTER_CREATE_INVALID = -EINVAL,
} ClusterCreate;

const char *cluster_create_to_string(ClusterCreate c);
ClusterCreate cluster_create_from_string(const char *s);

typedef struct ClusterConfig {
        char *secret; /* its name; NULL if missing or wrong */
        ClusterCreate create;
        bool retain;                  /* it stays as it is when nothing is wanted in it any more */
        char **labels, **annotations; /* NAME, VALUE, … */
        IdentityConfig
                *access; /* how the cluster is reached: as of an identity of the source "kubernetes" */
} ClusterConfig;

int cluster_config_new(ClusterConfig **ret);
ClusterConfig *cluster_config_free(ClusterConfig *c);
DEFINE_CLEANUP(ClusterConfig *, cluster_config_free)
/* NULL equals only NULL. */
bool cluster_config_equal(const ClusterConfig *a, const ClusterConfig *b);

/* As the set function of a ConfKey, for all keys of the section. */
int cluster_config_set(ClusterConfig *c, const ConfAssignment *a, char **reterr);
/* What the keys demand of each other. Returns 0 or -ENOMEM. */
int cluster_config_check(ClusterConfig *c, Conf *conf);
#define CLUSTER_PLACE_PREFIX "kubernetes:"
/* "kubernetes:SERVER/NAMESPACE/NAME" or the like: for people, for the state, and to tell two apart. */
int cluster_config_place(const ClusterConfig *c, char **ret);
