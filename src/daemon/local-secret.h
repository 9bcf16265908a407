/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon reads of the host for the worker, which can read nothing: the files of an identity and CA
 * files. */

#include "base/failure.h"
#include "base/secret.h"
#include "model/identity-config.h"
#include "model/job-config.h"
#include "model/request.h"

/* Fills the part of a request that is about the identity: source, audience, settings, and the content of
 * each file that it names, read anew. Follows links (projected tokens are links), then demands a regular
 * file of root's or ours that nobody else can write, at most 64 KiB (1 MiB for certificates). Blanks at the
 * end are cut off. Credentials are those of the service manager, in $CREDENTIALS_DIRECTORY.
 * Returns 0; 1 with *reterr_failure; -ENOMEM. */
int local_identity_read(const char *root, const IdentityConfig *identity, Request *q,
                        Failure **reterr_failure);
/* Likewise the part about the exchange: its name, its settings, and the content of the files that they
 * name. */
int local_exchange_read(const char *root, const JobConfig *c, Request *q, Failure **reterr_failure);
/* Reads PEM certificates. Returns 0; 1 with *reterr_failure; -ENOMEM. */
int local_ca_read(const char *root, const char *path, char **ret, Failure **reterr_failure);
