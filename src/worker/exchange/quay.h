/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exchange "quay": robot account federation of Quay 3.13 and later. */

#include "worker/exchange/exchange.h"

extern const Exchange exchange_quay;
