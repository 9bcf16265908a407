/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon reads of the host for the worker, which can read nothing: token files and CA files. */

#include "base/failure.h"
#include "base/secret.h"

/* Reads the file of an identity anew. Follows links (projected tokens are links), then demands a regular
 * file of root's or ours that nobody else can write, at most 64 KiB. Blanks at the end are cut off.
 * Returns 0; 1 with *reterr_failure; -ENOMEM. */
int local_token_read(const char *root, const char *path, Secret **ret, Failure **reterr_failure);
/* Reads PEM certificates. Returns 0; 1 with *reterr_failure; -ENOMEM. */
int local_ca_read(const char *root, const char *path, char **ret, Failure **reterr_failure);
