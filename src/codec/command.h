/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines of configuration files: words with quotes, no shell. */

#include "base/macro.h"

#define COMMAND_WORDS_MAX 128

/* Splits at blanks. Within '…' everything is literal; within "…" and outside of quotes a backslash takes
 * the meaning away from the character behind it. Nothing else is special: no variables, no globs, no
 * specifiers. Returns 0, -EINVAL (a quote or backslash without its end, no word at all), -E2BIG (more
 * than COMMAND_WORDS_MAX words), -ENOMEM. */
int command_split(const char *line, char ***ret);
