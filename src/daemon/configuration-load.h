/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading all configuration files. */

#include "model/configuration.h"

/* Reads and checks everything below `root`. Returns 0, or an errno when the machine itself is in trouble;
 * the caller then keeps what it has. */
int configuration_load(const char *root, Configuration **ret);
