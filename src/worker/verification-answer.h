/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a registry's answers say about a credential that is being tried. Pure. */

#include "base/failure.h"
#include "io/http.h"
#include "model/credential.h"
#include "worker/challenge.h"

/* What is asked of the token endpoint. Without a scope Quay would take the question for a person's entry and
 * write an audit row each time. */
typedef struct VerificationScope {
        char *text;       /* "repository:ns/repo:pull"; NULL: none */
        char *repository; /* "ns/repo" if the job names it, so that the answer tells about it; else NULL */
} VerificationScope;

void verification_scope_done(VerificationScope *s);

/* `scopes` are auth.json keys "host[:port][/ns[/repo]]". The first that names one repository is taken;
 * where none does, a repository that need not exist, in the namespace of the first scope or else of the
 * robot. */
int verification_scope_choose(char *const *scopes, const char *robot, VerificationScope *ret);

typedef enum ChallengeOutcome {
        CHALLENGE_FOUND = 0,
        CHALLENGE_FAILED, /* *reterr says why */
        CHALLENGE_BASIC,  /* there is no token endpoint: the credential itself opens /v2/ */
        CHALLENGE_NONE,   /* there is nothing to try the credential on; a notice says so */
} ChallengeOutcome;

/* Reads the answer to GET /v2/ (a->problem is HTTP_OK). Returns a ChallengeOutcome or -ENOMEM. */
int verification_read_challenge(const char *registry, const HttpAnswer *a, Challenge *ret, Failure **reterr,
                                char ***notices);

/* Reads the answer to GET /v2/ with the credential. Returns 0 if it is good, 1 with *reterr, -ENOMEM. */
int verification_read_entry(const char *registry, const Credential *c, const HttpAnswer *a,
                            Failure **reterr);

/* Reads the token endpoint's answer (a->problem is HTTP_OK) to the credential. Returns 0 if it is good, 1
 * with *reterr, -ENOMEM. */
int verification_read_answer(const char *registry, const Credential *c, const VerificationScope *scope,
                             const HttpAnswer *a, Failure **reterr, char ***notices);
