/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an API server is asked to do with one Secret. */

#include "io/http-value.h"
#include "model/cluster-secret.h"

typedef struct ClusterCall {
        ClusterAction action;
        const ClusterSecret *secret;
        const char *server; /* https://…, maybe with a path */
        const char *namespace;
        const Secret *asker; /* the token that is shown, or NULL */
} ClusterCall;
