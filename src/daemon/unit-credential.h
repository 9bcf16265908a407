/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a unit gets that asks for a credential: an auth.json with the scopes of the jobs whose Units= names
 * it. */

#include "daemon/job.h"
#include "model/unit-peer.h"

/* For how long an attempt is waited for that may bring what a unit asks for. */
#define UNIT_CREDENTIAL_PATIENCE (15 * USEC_PER_SEC)
/* What the service manager takes. */
#define UNIT_CREDENTIAL_MAX (1024 * 1024)
/* So many jobs are named. */
#define UNIT_CREDENTIAL_NAMED_MAX 8

typedef struct UnitCredential {
        Secret *text;   /* never empty: "{}" at least */
        char **given;   /* the first jobs whose credentials are in it */
        char **missing; /* the first jobs that the unit may have, and that have none at present */
        size_t n_given, n_missing;
        bool too_large; /* so that nothing is in it */
} UnitCredential;

UnitCredential *unit_credential_free(UnitCredential *c);
DEFINE_CLEANUP(UnitCredential *, unit_credential_free)

/* Is there a job that the unit may have, that has nothing, and that may have something soon? */
bool unit_credential_is_coming(Job *const *jobs, size_t n_jobs, const UnitPeer *peer);
/* What there is at this moment. Returns 0 or -ENOMEM. */
int unit_credential_new(Job *const *jobs, size_t n_jobs, const UnitPeer *peer, UnitCredential **ret);

/* One entry in the journal. */
void unit_credential_log(const UnitCredential *c, const UnitPeer *peer);
