/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of exchanges. */

#include "worker/exchange/exchange.h"

/* NULL if there is no exchange of that name. */
const Exchange *exchange_find(const char *name);
