/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pullauthctl and pullauth-federate tell each other, as values and as bytes.
 *
 * One request, one answer: the federation as it stands at the end, or a Failure. Both sides treat what they
 * read as foreign bytes. */

#include "base/clock.h"
#include "base/failure.h"
#include "base/secret.h"
#include "model/federation.h"

#define FEDERATION_TOKEN_MAX 4096
/* A CA file and two full lists. */
#define FEDERATION_REQUEST_MAX (8 * 1024 * 1024)
#define FEDERATION_ANSWER_MAX (4 * 1024 * 1024)

typedef struct FederationRequest {
        char *registry, *robot;
        Secret *token;
        char *ca;        /* PEM, or NULL for the host's trust store */
        Secret *proxy;   /* URL, maybe with a password; or NULL */
        usec_t timeout;  /* for each answer of the registry; 0: that of io/http */
        bool set;        /* else look only */
        Federation seen; /* set: how it was when somebody decided; else nothing is changed */
        Federation wanted;
} FederationRequest;

void federation_request_done(FederationRequest *q);

/* Returns 0 or -ENOMEM. */
int federation_request_write(const FederationRequest *q, Secret **ret);
/* Returns 0, -EBADMSG or -ENOMEM. */
int federation_request_read(const Secret *bytes, FederationRequest *ret);

/* `failure` is NULL if there is none; then `f` is the answer. Returns 0 or -ENOMEM. */
int federation_answer_write(const Federation *f, const Failure *failure, char **ret);
/* Returns 0 with *ret, 1 with *reterr, -EBADMSG, -ENOMEM. */
int federation_answer_read(const Secret *bytes, Federation *ret, Failure **reterr);
