/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The federation of a robot account as a registry keeps it: which subjects of which issuers may exchange
 * their tokens for the robot's. Pure. */

#include "base/macro.h"

/* More than any robot account will ever have; what a registry sends is not believed without a bound. */
#define FEDERATION_ENTRIES_MAX 4096
#define FEDERATION_TEXT_MAX 4096 /* of an issuer, a subject or an audience */

typedef struct FederationEntry {
        char *issuer, *subject; /* byte for byte, as the registry compares them */
        char **audiences;       /* NULL: whatever the token has is taken */
} FederationEntry;

typedef struct Federation {
        FederationEntry *items;
        size_t n_items;
} Federation;

void federation_done(Federation *f);
/* Copies. Returns 0 or -ENOMEM. */
int federation_add(Federation *f, const char *issuer, const char *subject, char *const *audiences);
/* Whether they have the same issuers with the same subjects, in any order, and for
 * federation_equal() with the same audiences. */
bool federation_equal(const Federation *a, const Federation *b);
bool federation_names_same(const Federation *a, const Federation *b);
const FederationEntry *federation_find(const Federation *f, const char *issuer, const char *subject);

/* The JSON array of Quay's API. An entry with a member that is not known is refused: written back without
 * it, it might accept more than before. Returns 0; -EBADMSG with *reterr, a static text that repeats nothing
 * of what was read ("is no JSON array"); -ENOMEM. */
int federation_parse(const char *text, size_t size, Federation *ret, const char **reterr);
int federation_print(const Federation *f, char **ret);
