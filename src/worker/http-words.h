/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The registry's own words out of an answer that says no. Pure. */

#include "base/macro.h"
#include "base/secret.h"
#include "io/http.h"

typedef enum WordsShape {
        WORDS_NONE,    /* nothing that could be shown */
        WORDS_MESSAGE, /* JSON {"message": …} or {"error_message": …} */
        WORDS_ERROR, /* JSON {"error": …[, "error_description": …]} or {"errors": [{"message": …}]} */
        WORDS_TITLE, /* the title of an HTML page: a front end, or an exception nobody caught */
        _WORDS_SHAPE_MAX,
} WordsShape;

typedef struct Words {
        WordsShape shape;
        char *text;     /* cleaned, NULL if WORDS_NONE */
        bool read_only; /* JSON {"is_readonly": true} */
} Words;

void words_done(Words *w);

/* `secrets` is what was sent: an answer that repeats a piece of it (a proxy may echo header lines) has no
 * words. Returns 0 or -ENOMEM. */
int words_read(const HttpAnswer *a, const Secret *const *secrets, size_t n_secrets, Words *ret);

/* Does `text` repeat a piece of one of them, or all of a short one, as it is or in base64? Returns 1 if it
 * does, 0 if not, -ENOMEM. */
int words_repeat(const char *text, const Secret *const *secrets, size_t n_secrets);
