/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exchange "token": none, for a registry that takes the JWT itself as a password. */

#include "worker/exchange/exchange.h"

extern const Exchange exchange_token;
