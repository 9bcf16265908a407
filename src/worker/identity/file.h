/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sources "file" and "credential": the daemon read the token and put it into the request. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_file;
extern const IdentitySourceType identity_credential;
