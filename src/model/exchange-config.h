/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a job turns the JWT of this host into a credential: Exchange= of *.job files (pullauth.job(5)). */

#include "base/macro.h"

typedef enum ExchangeKind {
        EXCHANGE_QUAY,  /* robot account federation of Quay */
        EXCHANGE_TOKEN, /* the JWT itself is the password */
        _EXCHANGE_KIND_MAX,
        _EXCHANGE_KIND_INVALID = -EINVAL,
} ExchangeKind;

const char *exchange_kind_to_string(ExchangeKind k);
ExchangeKind exchange_kind_from_string(const char *s);
/* "quay, token" for messages. */
int exchange_kind_names(char **ret);
/* May this be the user of such a credential? A robot account for Quay, any name for others. */
bool exchange_user_is_valid(ExchangeKind k, const char *user);
