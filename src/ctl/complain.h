/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What went wrong, on standard error. */

#include "base/macro.h"

/* "pullauthctl: …" */
void complain(const char *format, ...) _printf_(1, 2);
