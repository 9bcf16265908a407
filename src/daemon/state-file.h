/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state as text. Pure. */

#include "daemon/state-data.h"

#define STATE_VERSION 2

/* Returns 0 or -ENOMEM. */
int state_file_print(const StateData *s, char **ret, size_t *ret_size);
/* Fills the empty state. Returns 0; -EBADMSG with a static text in *reterr, the state half filled then;
 * -ENOMEM. */
int state_file_parse(const char *text, size_t size, StateData *s, const char **reterr);
