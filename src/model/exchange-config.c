/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of the exchanges, and what each takes for a user.
 *
 * Owns nothing else: what an exchange does is for the worker. */

#include "base/text.h"
#include "model/exchange-config.h"
#include "model/name.h"

static const char *const kind_table[_EXCHANGE_KIND_MAX] = {
        [EXCHANGE_QUAY] = "quay",
        [EXCHANGE_TOKEN] = "token",
};

const char *exchange_kind_to_string(ExchangeKind k) {
        return k >= 0 && k < _EXCHANGE_KIND_MAX ? kind_table[k] : NULL;
}

ExchangeKind exchange_kind_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(kind_table); i++)
                if (streq_ptr(s, kind_table[i]))
                        return (ExchangeKind) i;
        return _EXCHANGE_KIND_INVALID;
}

int exchange_kind_names(char **ret) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(kind_table) && r >= 0; i++)
                r = strv_append(&names, kind_table[i]);
        return r < 0 ? r : strv_join(names, ", ", ret);
}

bool exchange_user_is_valid(ExchangeKind k, const char *user) {
        return k == EXCHANGE_QUAY ? robot_is_valid(user) : user_is_valid(user);
}
