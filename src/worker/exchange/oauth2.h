/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exchange "oauth2": token exchange at a token service (RFC 8693). */

#include "worker/exchange/exchange.h"

extern const Exchange exchange_oauth2;
