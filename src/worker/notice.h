/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Things worth knowing that stop nothing: whole sentences beside a credential or a failure. */

#include "base/macro.h"

/* More than the private door lets through helps nobody. */
#define NOTICES_MAX 16

/* Appends a cleaned sentence, unless it stands there already or the list is full. Returns 0 or -ENOMEM. */
int notice_add(char ***notices, const char *format, ...) _printf_(2, 3);
