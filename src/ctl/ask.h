/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to whoever sits at the terminal. */

#include "base/macro.h"
#include "base/secret.h"

/* "QUESTION [y/N] " on standard error. Returns 1 for yes, 0 for no and for no answer, -ENXIO without a
 * terminal to ask on. */
int ask_yes(const char *question);
/* "PROMPT: ", read without being shown. Returns 0, -ENXIO without a terminal, -ENODATA for nothing,
 * -ECANCELED for ^C, -E2BIG. */
int ask_secret(const char *prompt, Secret **ret);
/* A line of standard input, which is no terminal. Returns 0, -ENODATA for an empty one, -E2BIG. */
int ask_input(Secret **ret);
