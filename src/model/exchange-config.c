/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of the exchanges, what each takes for a user, and the keys of section [Exchange].
 *
 * Owns nothing else: what an exchange does is for the worker. */

#include "base/text.h"
#include "model/exchange-config.h"
#include "model/name.h"

static const char *const kind_table[_EXCHANGE_KIND_MAX] = {
        [EXCHANGE_QUAY] = "quay",
        [EXCHANGE_TOKEN] = "token",
        [EXCHANGE_OAUTH2] = "oauth2",
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

#define OAUTH2 (1U << EXCHANGE_OAUTH2)

static const SettingKey keys[] = {
        /* the token service, and what is asked of it */
        { "TokenEndpoint", OAUTH2, 0, SETTING_VALUE_URL, "https://sts.example.com/v1/token" },
        { "Issuer", OAUTH2, 0, SETTING_VALUE_URL, "https://issuer.example.com" },
        { "Audience", OAUTH2, 0, SETTING_VALUE_TOKEN, "registry.example.com" },
        { "Resource", OAUTH2, 0, SETTING_VALUE_TOKEN, "https://registry.example.com" },
        { "Scope", OAUTH2, 0, SETTING_VALUE_TEXT, "pull" },
        { "SubjectTokenType", OAUTH2, 0, SETTING_VALUE_TOKEN, "urn:ietf:params:oauth:token-type:id_token" },
        { "RequestedTokenType", OAUTH2, 0, SETTING_VALUE_TOKEN,
          "urn:ietf:params:oauth:token-type:access_token" },
        /* how this host proves who it is, if it has to */
        { "ClientID", OAUTH2, 0, SETTING_VALUE_TOKEN, "edge-1" },
        { "ClientAuthentication", OAUTH2, 0, SETTING_VALUE_CHOICE, "private_key_jwt",
          .choices = "client_secret_basic client_secret_post private_key_jwt tls_client_auth none" },
        { "ClientSecretFile", OAUTH2, 0, SETTING_VALUE_FILE, "credential:client-secret" },
        { "ClientCertificateFile", OAUTH2, 0, SETTING_VALUE_FILE, "/etc/pki/edge-1.pem" },
        { "ClientKeyFile", OAUTH2, 0, SETTING_VALUE_FILE, "/etc/pki/edge-1.key" },
        { "ClientKeyID", OAUTH2, 0, SETTING_VALUE_TOKEN, "2026-11" },
        /* how it is reached; what the job says of the registry does not hold for it */
        { "CAFile", OAUTH2, 0, SETTING_VALUE_CA, "/etc/pki/sts-ca.pem" },
        { "Proxy", OAUTH2, 0, SETTING_VALUE_URL_PLAIN, "http://proxy.example.com:3128" },
};

static const SettingChoice choices[] = {
        { OAUTH2, NULL, { "TokenEndpoint", "Issuer" } },
        { OAUTH2, NULL, { "ClientSecretFile", "ClientKeyFile" }, .optional = true },
};

static const SettingCompanion companions[] = {
        { OAUTH2, "ClientAuthentication", "client_secret_basic", "ClientSecretFile" },
        { OAUTH2, "ClientAuthentication", "client_secret_post", "ClientSecretFile" },
        { OAUTH2, "ClientAuthentication", "private_key_jwt", "ClientKeyFile" },
        { OAUTH2, "ClientAuthentication", "tls_client_auth", "ClientCertificateFile" },
        { OAUTH2, "ClientCertificateFile", NULL, "ClientKeyFile" },
        { OAUTH2, "ClientSecretFile", NULL, "ClientID" },
        { OAUTH2, "ClientKeyFile", NULL, "ClientID" },
};

const SettingKey *exchange_key_find(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].key, key))
                        return keys + i;
        return NULL;
}

const SettingKey *exchange_key_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(keys);
        return keys;
}

int exchange_settings_check(ExchangeKind k, char **settings, Conf *conf) {
        static const SettingRules rules = { keys,       ELEMENTSOF(keys),      choices, ELEMENTSOF(choices),
                                            companions, ELEMENTSOF(companions) };
        _cleanup_free_ char *name = NULL;
        int r;

        r = text_format(&name, "Exchange=%s", strempty(exchange_kind_to_string(k)));
        return r < 0 ? r : settings_check(settings, &rules, 1U << k, name, conf);
}
