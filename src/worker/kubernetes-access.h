/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the API server of a cluster is reached, and as whom: by what the daemon handed over of an identity or
 * of a target, be it a kubeconfig or its parts. */

#include "base/failure.h"
#include "io/http-value.h"
#include "model/request.h"
#include "worker/kubeconfig.h"

typedef struct KubernetesAccess {
        const char *server;    /* https://…, maybe with a path */
        const char *namespace; /* "default" if nobody says another one */
        const Secret *asker;   /* the token that is shown, or NULL */
        HttpTrust trust;
        Kubeconfig config; /* what the others may point into; empty without a kubeconfig */
} KubernetesAccess;

/* What comes back points into the request as well. Returns 0; 1 with *reterr (step identity); -EINVAL
 * without a server; -ENOMEM. `ret` is zeroed by the caller and done with in every case. */
int kubernetes_access_read(const Request *q, KubernetesAccess *ret, Failure **reterr);
void kubernetes_access_done(KubernetesAccess *a);
