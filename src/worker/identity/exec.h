/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Source "exec": a program prints the token. */

#include "worker/identity/source.h"

extern const IdentitySourceType identity_exec;
