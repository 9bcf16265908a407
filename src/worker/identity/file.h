/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "file": the daemon read the token file and put its content into the request. */

#include "worker/identity/source.h"

extern const IdentitySource identity_file;
