/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an auth.json is laid out, so that what is added to it looks as if its author had written it. Pure. */

#include "base/macro.h"
#include "codec/json-text.h"

/* Longer runs of blanks are nobody's style. */
#define AUTH_BLANKS_MAX 64

/* The blanks around the members of an object. */
typedef struct AuthObjectStyle {
        char open[4 * AUTH_BLANKS_MAX];  /* in front of a key */
        char colon[AUTH_BLANKS_MAX + 2]; /* between key and value, the colon included */
        char close[4 * AUTH_BLANKS_MAX]; /* in front of the brace that closes it */
} AuthObjectStyle;

typedef struct AuthStyle {
        AuthObjectStyle top;     /* around "auths" */
        AuthObjectStyle entries; /* around the keys in "auths" */
        AuthObjectStyle entry;   /* around "auth" */
} AuthStyle;

/* From the members at the top and those of "auths" (NULL: there is none): what the nearest neighbours look
 * like, else as the level above indents, else as podman writes. Returns 0 or -ENOMEM. */
int auth_style_detect(AuthStyle *ret, const char *text, const JsonMembers *top, const JsonMembers *auths);
