/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One Secret of a Kubernetes cluster, as it is wanted or as it was found. Pure. */

#include "base/macro.h"
#include "base/secret.h"

/* The one type of Secret that pods pull with, and the one key in it. */
#define CLUSTER_SECRET_TYPE "kubernetes.io/dockerconfigjson"
#define CLUSTER_SECRET_KEY ".dockerconfigjson"
/* Who put it there: the label is the one that tools show, the annotations are ours alone. */
#define CLUSTER_LABEL_MANAGER "app.kubernetes.io/managed-by"
#define CLUSTER_MANAGER "pullauthd"
#define CLUSTER_ANNOTATION_OWNER "pullauth.org/owner"
#define CLUSTER_ANNOTATION_HOST "pullauth.org/host"
/* What a cluster lets a Secret hold. */
#define CLUSTER_SECRET_MAX (1024 * 1024)

typedef enum ClusterAction {
        CLUSTER_READ,
        CLUSTER_APPLY, /* made or brought in line as a whole, by a server-side apply */
        CLUSTER_PATCH, /* the key alone is replaced in one that is there */
        CLUSTER_REMOVE,
        _CLUSTER_ACTION_MAX,
        _CLUSTER_ACTION_INVALID = -EINVAL,
} ClusterAction;

const char *cluster_action_to_string(ClusterAction a);
ClusterAction cluster_action_from_string(const char *s);

typedef struct ClusterSecret {
        char *name;
        char *type;          /* as found */
        char *uid, *version; /* as found; to a change: what it must still be, NULL if there is none */
        char **labels, **annotations; /* NAME, VALUE, …; as found: those that were asked for alone */
        Secret *data;                 /* an auth.json; NULL: the key is not there */
} ClusterSecret;

ClusterSecret *cluster_secret_free(ClusterSecret *s);
DEFINE_CLEANUP(ClusterSecret *, cluster_secret_free)

/* What Kubernetes lets namespaces, Secrets, labels and annotations be called. */
bool cluster_name_is_valid(const char *s);
bool cluster_key_is_valid(const char *s);
bool cluster_label_is_valid(const char *value);

/* `found` has each pair of `wanted`. */
bool cluster_pairs_contain(char *const *found, char *const *wanted);
