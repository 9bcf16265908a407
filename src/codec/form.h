/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing application/x-www-form-urlencoded, the bodies of OAuth 2. */

#include "base/macro.h"
#include "base/secret.h"

typedef struct FormField {
        const char *name;
        struct iovec value; /* an empty one is left out with its name */
} FormField;

struct iovec form_text(const char *text); /* NULL gives an empty one */

/* "name=value&…" in the order of the fields; a Secret, for a secret is in it more often than not. Returns 0,
 * -E2BIG or -ENOMEM. */
int form_encode(const FormField *fields, size_t n_fields, Secret **ret);
/* One value alone. */
int form_escape(struct iovec value, Secret **ret);
