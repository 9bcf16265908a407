/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which sources of identities this worker has.
 *
 * Owns the table and nothing else; each row is a file of its
 * own that no other source includes. */

#include "base/text.h"
#include "worker/identity/aws.h"
#include "worker/identity/azure.h"
#include "worker/identity/exec.h"
#include "worker/identity/file.h"
#include "worker/identity/gce.h"
#include "worker/identity/kubernetes.h"
#include "worker/identity/oauth2.h"
#include "worker/identity/signed.h"
#include "worker/identity/sources.h"
#include "worker/identity/spiffe.h"

static const IdentitySourceType *const sources[] = {
        &identity_file,       &identity_exec,   &identity_credential, &identity_spiffe, &identity_oauth2,
        &identity_kubernetes, &identity_signed, &identity_gce,        &identity_azure,  &identity_aws,
};

const IdentitySourceType *identity_source_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                if (streq(sources[i]->name, name))
                        return sources[i];
        return NULL;
}
