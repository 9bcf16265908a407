/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an auth.json says, but for its secrets: for showing it to people. Pure. */

#include "codec/json-text.h"

/* Stands in the place of every value that is not shown, quoted like any string. */
#define AUTH_MASK "(hidden)"

/* The text with each string and each number that is a value replaced by AUTH_MASK, whoever put it there and
 * whatever its key; but for the names of credential helpers ("credsStore", "credHelpers" at the top), which
 * are no secret and tell where the rest is. Keys stay, without what stands before an '@' in them; blanks and
 * order stay. A text of blanks alone gives an empty text. Returns 0, or -EBADMSG with *reterr filled if it
 * is not strict JSON, or -ENOMEM. */
int auth_mask(const char *text, size_t size, char **ret, JsonError *reterr);
