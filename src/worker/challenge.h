/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The Bearer challenge of a registry: where its token endpoint is and what it calls itself. Pure. */

#include "base/macro.h"

typedef struct Challenge {
        char *realm;   /* URL of the token endpoint */
        char *service; /* NULL if not named */
} Challenge;

void challenge_done(Challenge *c);

/* Finds the first Bearer challenge with a realm in a WWW-Authenticate field (RFC 9110 section 11.6.1;
 * several challenges may stand in it). Returns 0; 1 if there is none, but one for a user name and password
 * (Basic), and *ret stays as it is; -ENOENT if there is neither; -EBADMSG if the field is malformed;
 * -ENOMEM. */
int challenge_parse(const char *field, Challenge *ret);

/* The URL that asks the endpoint of `c` for a token: service and scope ("repository:ns/repo:pull") become
 * properly encoded parameters; `scope` may be NULL. Returns 0 or -ENOMEM. */
int challenge_url(const Challenge *c, const char *scope, char **ret);

/* Is the realm an https URL of the same host as `registry` ("host[:port]"; the port may differ)? A
 * credential goes nowhere else. */
bool challenge_is_at(const Challenge *c, const char *registry);
