/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a job to a request for the worker, be it an attempt or a test.
 *
 * Owns how long the worker may take. Keeps nothing: identity and CA file are read each time, for a copy of a
 * proof of identity would be in the way of its own renewal. */

#include "base/text.h"
#include "daemon/job-request.h"
#include "daemon/local-secret.h"

static int fill(const Job *j, Request *q) {
        int r;

        r = free_and_strdup(&q->job, j->name);
        if (r >= 0)
                r = free_and_strdup(&q->registry, j->config->registry);
        if (r >= 0)
                r = free_and_strdup(&q->robot, j->config->robot);
        if (r >= 0)
                r = free_and_strdup(&q->proxy, j->config->proxy);
        if (r >= 0)
                r = strv_copy(j->config->scopes, &q->scopes);
        return r < 0 ? r : 0;
}

int job_request_new(const Job *j, RequestKind kind, Request **ret, Failure **reterr_failure) {
        _cleanup_request_ Request *q = NULL;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->kind = kind;
        q->timeout = REQUEST_TIMEOUT;
        r = fill(j, q);
        if (r == 0 && j->config->ca_file)
                r = local_ca_read(j->context->root, j->config->ca_file, &q->ca, reterr_failure);
        if (r == 0)
                r = local_exchange_read(j->context->root, j->config, q, reterr_failure);
        if (r == 0)
                r = local_identity_read(j->context->root, j->identity, q, reterr_failure);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

static int fill_token(const char *robot, const char *scope, const Secret *token, Request *q) {
        int r;

        q->scopes = strv_free(q->scopes);
        r = strv_append(&q->scopes, scope);
        if (r >= 0)
                r = free_and_strdup(&q->robot, robot);
        if (r >= 0)
                r = free_and_strdup(&q->exchange, exchange_kind_to_string(EXCHANGE_QUAY));
        if (r >= 0)
                r = free_and_strdup(&q->source, identity_source_to_string(IDENTITY_FILE));
        if (r >= 0)
                r = secret_dup(token, &q->token);
        return r < 0 ? r : 0;
}

int job_request_new_for_token(const Job *j, const char *robot, const char *scope, const Secret *token,
                              Request **ret, Failure **reterr_failure) {
        _cleanup_request_ Request *q = NULL;
        int r;

        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->kind = REQUEST_OBTAIN;
        q->timeout = REQUEST_TIMEOUT;
        r = fill(j, q);
        if (r == 0)
                r = fill_token(robot, scope, token, q);
        if (r == 0 && j->config->ca_file)
                r = local_ca_read(j->context->root, j->config->ca_file, &q->ca, reterr_failure);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}
