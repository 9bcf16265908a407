/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which kinds of exchange this worker knows.
 *
 * Owns the table and nothing else; each row is a file of its
 * own that no other exchange includes. */

#include "base/text.h"
#include "worker/exchange/exchanges.h"
#include "worker/exchange/oauth2.h"
#include "worker/exchange/quay.h"
#include "worker/exchange/token.h"

static const Exchange *const exchanges[] = {
        &exchange_quay,
        &exchange_token,
        &exchange_oauth2,
};

const Exchange *exchange_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(exchanges); i++)
                if (streq(exchanges[i]->name, name))
                        return exchanges[i];
        return NULL;
}
