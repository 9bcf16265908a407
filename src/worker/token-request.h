/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TokenRequest of Kubernetes (authentication.k8s.io/v1): what is sent, and the token in the answer. Pure. */

#include "base/failure.h"
#include "io/http.h"

typedef struct TokenRequest {
        const char *server; /* https://…, maybe with a path */
        const char *namespace, *service_account;
        const char *audience;
        const char *bound_object; /* "Kind/name" or "Kind/name/uid", or NULL */
        uint64_t seconds;
} TokenRequest;

/* Return 0, -EINVAL for an object that is none, or -ENOMEM. */
int token_request_url(const TokenRequest *q, char **ret);
int token_request_body(const TokenRequest *q, char **ret);

/* From an answer (a->problem is HTTP_OK). `asker` is the credential that was sent, if it was a token.
 * Returns 0, 1 with *reterr, or -ENOMEM. */
int token_request_read(const TokenRequest *q, const char *server, const HttpAnswer *a, const Secret *asker,
                       Secret **ret, Failure **reterr);
