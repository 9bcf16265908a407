/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What kubelet asks: a CredentialProviderRequest of credentialprovider.kubelet.k8s.io/v1. Pure. */

#include "base/secret.h"

#define KUBELET_REQUEST_MAX (256 * 1024)
#define KUBELET_API_VERSION "credentialprovider.kubelet.k8s.io/v1"

typedef struct KubeletRequest {
        char *image;   /* as kubelet writes it: with tag and digest */
        Secret *token; /* of the pod's service account, or NULL */
        char *robot;   /* that the service account is to be, or NULL */
} KubeletRequest;

void kubelet_request_done(KubeletRequest *q);

/* Members that later versions add are not looked at. Returns 0; -EBADMSG with *reterr, one sentence that
 * says what is wrong and repeats no value; -ENOMEM. */
int kubelet_request_read(const Secret *bytes, KubeletRequest *ret, const char **reterr);
