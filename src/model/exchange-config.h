/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a job turns the JWT of this host into a credential: Exchange= of *.job files (pullauth.job(5)). */

#include "model/setting.h"

typedef enum ExchangeKind {
        EXCHANGE_QUAY,   /* robot account federation of Quay */
        EXCHANGE_TOKEN,  /* the JWT itself is the password */
        EXCHANGE_OAUTH2, /* token exchange at a token service (RFC 8693) */
        _EXCHANGE_KIND_MAX,
        _EXCHANGE_KIND_INVALID = -EINVAL,
} ExchangeKind;

const char *exchange_kind_to_string(ExchangeKind k);
ExchangeKind exchange_kind_from_string(const char *s);
/* "quay, token, …" for messages. */
int exchange_kind_names(char **ret);
/* May this be the user of such a credential? A robot account for Quay, any name for others. */
bool exchange_user_is_valid(ExchangeKind k, const char *user);

/* The keys of section [Exchange]. */
const SettingKey *exchange_key_find(const char *key);
const SettingKey *exchange_key_all(size_t *ret_n);
/* As settings_check(). */
int exchange_settings_check(ExchangeKind k, char **settings, Conf *conf);
