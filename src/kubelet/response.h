/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What kubelet is answered: a CredentialProviderResponse. Pure. */

#include "base/clock.h"
#include "client/entry.h"

/* How long kubelet may keep a credential that ends then, both on the real clock: a pull that begins at the
 * last moment has to come to its end. Never beyond the end; 0 if little is left. */
usec_t kubelet_cache_span(usec_t expires, usec_t now);

/* For the image that was asked for and no other, so that two robot accounts of one registry never mix.
 * Without an entry it says that there is no credential, which is not kept. Returns 0 or -ENOMEM. */
int kubelet_response_write(const char *scope, const Entry *entry, usec_t cache, Secret **ret);
