/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What crosses the private door between pullauthd and pullauth-worker, as values.
 *
 * One request obtains one credential: identity step, exchange step, verification step. The daemon reads
 * local secrets and hands them over; the answer is the credential or one Failure, and in both cases what was
 * learned on the way. How it looks on the wire is model/door.h. */

#include "base/clock.h"
#include "base/failure.h"
#include "base/secret.h"
#include "model/cluster-secret.h"
#include "model/credential.h"
#include "model/setting.h"
#include "model/trace.h"

/* A secret with the name of the setting that it belongs to. */
typedef struct NamedSecret {
        char *name;
        Secret *value;
} NamedSecret;

typedef struct NamedSecrets {
        NamedSecret *items;
        size_t n_items;
} NamedSecrets;

void named_secrets_done(NamedSecrets *l);
/* Consumes `value`, also on failure. Returns 0 or -ENOMEM. */
int named_secrets_add(NamedSecrets *l, const char *name, Secret *value);
/* NULL if there is none of that name. */
const Secret *named_secrets_get(const NamedSecrets *l, const char *name);

/* How far a request goes. */
typedef enum RequestKind {
        REQUEST_OBTAIN,  /* all steps, for the credential */
        REQUEST_EXPLAIN, /* the identity step alone, for the claims */
        REQUEST_TEST,    /* all steps, for the trace: the credential ends with the request */
        REQUEST_CLUSTER, /* none: a Secret of a cluster is read or changed */
        _REQUEST_KIND_MAX,
        _REQUEST_KIND_INVALID = -EINVAL,
} RequestKind;

const char *request_kind_to_string(RequestKind k);
RequestKind request_kind_from_string(const char *s);

typedef struct Request {
        RequestKind kind;
        uint64_t id; /* chosen by the daemon, for cancelling */
        char *job;   /* its name, for the worker's log only */
        /* identity step */
        char *source;         /* a name of model/identity-key */
        char *audience;       /* the JWT must have it; NULL: unchecked */
        Secret *token;        /* sources "file" and "credential": the token as it was found */
        char **settings;      /* KEY, VALUE, KEY, VALUE …: of the identity, in canonical form */
        NamedSecrets secrets; /* what its files hold: name is the key */
        /* exchange step */
        char *exchange;           /* a name of model/exchange-config */
        char **exchange_settings; /* as `settings` and `secrets`, of the exchange */
        NamedSecrets exchange_secrets;
        char *registry; /* "host[:port]" */
        char *robot;    /* the user of the credential */
        char **scopes;  /* full keys "host/ns[/repo]", for the verification's scope */
        char *ca;       /* PEM, or NULL for the trust store */
        char *proxy;
        usec_t timeout; /* for the whole request; the worker ends it with REASON_TIMEOUT */
        /* REQUEST_CLUSTER. How the cluster is reached stands in `settings` and `secrets`, by the keys of
         * identities of the source "kubernetes". */
        ClusterAction action;
        ClusterSecret *cluster;
} Request;

Request *request_free(Request *r);
DEFINE_CLEANUP(Request *, request_free)
#define _cleanup_request_ _cleanup_(request_freep)

/* A setting, or the content of a file that a setting names; NULL if there is none. */
const char *request_setting(const Request *r, const char *key);
const Secret *request_secret(const Request *r, const char *key);

/* Claims that people may see; never the signature. */
typedef struct IdentityClaims {
        char *issuer, *subject, *algorithm, *key_id;
        char **audience;
        int64_t issued, expires; /* seconds since 1970, 0 if absent */
        unsigned n_more;         /* owners beside the first one, who change nothing any more */
} IdentityClaims;

IdentityClaims *identity_claims_free(IdentityClaims *c);
DEFINE_CLEANUP(IdentityClaims *, identity_claims_free)
/* One owner more, each of whom frees. */
IdentityClaims *identity_claims_share(IdentityClaims *c);
bool identity_claims_equal(const IdentityClaims *a, const IdentityClaims *b);

typedef struct Answer {
        Credential *credential; /* exactly one of these three is set */
        Failure *failure;
        bool well;              /* explained, tested or done, and nothing was wrong */
        Trace trace;            /* REQUEST_TEST: up to the verification */
        IdentityClaims *claims; /* NULL if no JWT could be read */
        char *discovery,
                *key_set; /* REQUEST_EXPLAIN of a source that is its own issuer: what it publishes, JSON */
        ClusterSecret *cluster; /* CLUSTER_READ: NULL if there is none of that name */
        char **notices;         /* things worth knowing that stop nothing, cleaned sentences */
        bool skew_known;        /* registry's Date against our real clock, positive: registry ahead */
        int64_t skew_usec;
        usec_t identity_usec, exchange_usec, verification_usec; /* time each step took, 0 if not reached */
} Answer;

Answer *answer_free(Answer *a);
DEFINE_CLEANUP(Answer *, answer_free)
#define _cleanup_answer_ _cleanup_(answer_freep)
