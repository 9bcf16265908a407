/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the answers of a token service to a token exchange mean (RFC 8693 section 2.2). Pure. */

#include "base/failure.h"
#include "io/http.h"
#include "model/credential.h"

typedef struct Oauth2Question {
        const char *server;        /* for messages: "host[:port]" */
        const char *user;          /* of the credential */
        const Secret *const *sent; /* what no word of an answer may repeat */
        size_t n_sent;
        const char *authentication; /* what the service takes of clients, as it says; or NULL */
        usec_t now;                 /* our real clock */
} Oauth2Question;

/* `a` is an answer (a->problem is HTTP_OK). Returns 0 with *ret, 1 with *reterr, -ENOMEM. */
int oauth2_answer_read(const Oauth2Question *q, const HttpAnswer *a, Credential **ret, Failure **reterr,
                       char ***notices);
/* Of any other status than 200, and of a request that got no answer. Both return 0 or -ENOMEM. */
int oauth2_refusal_read(const Oauth2Question *q, const HttpAnswer *a, Failure **ret);
int oauth2_refusal_of_problem(const Oauth2Question *q, const HttpAnswer *a, Failure **ret);
/* Makes a failure of the discovery one of the exchange. Returns 0 or -ENOMEM. */
int oauth2_refusal_of_discovery(const Oauth2Question *q, Failure *f);
