/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of an *.identity file to an IdentityConfig.
 *
 * Owns what keys of one source demand of each other; which keys there are is the table of
 * model/identity-key, what their values look like stands in model/setting. Reads no file and checks nothing
 * that needs one: a token file that does not exist is a matter of each attempt, not of the configuration. */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "model/config-value.h"
#include "model/identity-config.h"

static int set_source(const ConfAssignment *a, void *userdata, char **reterr) {
        _cleanup_free_ char *names = NULL;
        IdentityConfig *c = userdata;
        int r;

        c->source = isempty(a->value) ? _IDENTITY_SOURCE_INVALID : identity_source_from_string(a->value);
        if (c->source >= 0 || isempty(a->value))
                return 0;
        r = identity_source_names(&names);
        if (r < 0)
                return r;
        return config_complain(reterr, "Source=%s is no known source, use one of: %s", a->value, names);
}

static int set_audience(const ConfAssignment *a, void *userdata, char **reterr) {
        IdentityConfig *c = userdata;

        return config_set_token(a, &c->audience, reterr);
}

static int set_setting(const ConfAssignment *a, void *userdata, char **reterr) {
        IdentityConfig *c = userdata;

        return settings_take(&c->settings, identity_key_find(a->key), a, reterr);
}

IdentityConfig *identity_config_free(IdentityConfig *c) {
        if (!c || c->n_more-- > 0)
                return NULL;
        free(c->name);
        free(c->audience);
        strv_free(c->settings);
        free(c);
        return NULL;
}

#define BIT(source) (1U << IDENTITY_##source)
#define CLUSTERS (BIT(KUBERNETES) | IDENTITY_KEY_CLUSTER)

static const SettingChoice choices[] = {
        { BIT(SIGNED), NULL, { "KeyFile", "KeyURI" } },
        { BIT(OAUTH2), NULL, { "ClientSecretFile", "ClientKeyFile" } },
        { CLUSTERS, NULL, { "Server", "InCluster", "Kubeconfig" } },
        { CLUSTERS, "Server", { "TokenFile", "ClientKeyFile" } },
        { CLUSTERS, "Kubeconfig", { "Kubeconfig", "TokenFile", "ClientKeyFile" } },
        { BIT(AZURE), NULL, { "ClientID", "ObjectID", "ManagedIdentity" }, .optional = true },
};

static const SettingCompanion companions[] = {
        { BIT(OAUTH2), "ClientAuthentication", "client_secret_basic", "ClientSecretFile" },
        { BIT(OAUTH2), "ClientAuthentication", "client_secret_post", "ClientSecretFile" },
        { BIT(OAUTH2), "ClientAuthentication", "private_key_jwt", "ClientKeyFile" },
        { BIT(OAUTH2), "ClientAuthentication", "tls_client_auth", "ClientCertificateFile" },
        { BIT(OAUTH2) | CLUSTERS, "ClientCertificateFile", NULL, "ClientKeyFile" },
        { CLUSTERS, "ClientKeyFile", NULL, "ClientCertificateFile" },
        { CLUSTERS, "Context", NULL, "Kubeconfig" },
};

/* API servers refuse to make a token that lives for less, and the token service of AWS one that lives for
 * more (DurationSeconds of GetWebIdentityToken in its API reference). */
static const SettingLimit limits[] = {
        { BIT(KUBERNETES), "Lifetime", .shortest = 600 },
        { BIT(AWS), "Lifetime", .longest = 3600 },
};

static int check(char **settings, unsigned user, const char *name, Conf *conf) {
        SettingRules rules = { .choices = choices,
                               .n_choices = ELEMENTSOF(choices),
                               .companions = companions,
                               .n_companions = ELEMENTSOF(companions),
                               .limits = limits,
                               .n_limits = ELEMENTSOF(limits) };

        rules.keys = identity_key_all(&rules.n_keys);
        return settings_check(settings, &rules, user, name, conf);
}

int identity_access_check(char **settings, Conf *conf) {
        return check(settings, IDENTITY_KEY_CLUSTER, "Section [Kubernetes]", conf);
}

static int check_complete(IdentityConfig *c, Conf *conf) {
        _cleanup_free_ char *name = NULL;
        int r;

        if (conf_has_error(conf))
                return 0;
        if (c->source < 0)
                return conf_add_message(
                        conf, CONF_ERROR, config_main_file(conf), 0,
                        "Source= is missing in section [Identity], add for example Source=file");
        r = text_format(&name, "Source=%s", identity_source_to_string(c->source));
        if (r >= 0 && identity_source_needs_audience(c->source) && !c->audience)
                r = conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                     "Audience= is missing, %s needs it, add for example Audience=quay",
                                     name);
        return r < 0 ? r : check(c->settings, 1U << c->source, name, conf);
}

/* The rows that conf_apply() wants, from the table of keys. */
static int apply(IdentityConfig *c, Conf *conf) {
        _cleanup_free_ ConfKey *rows = NULL;
        const SettingKey *keys;
        size_t n;

        keys = identity_key_all(&n);
        rows = calloc(n + 2, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        rows[0] = (ConfKey){ "Identity", "Source", set_source };
        rows[1] = (ConfKey){ "Identity", "Audience", set_audience };
        for (size_t i = 0; i < n; i++)
                rows[i + 2] = (ConfKey){ "Identity", keys[i].key, set_setting };
        return conf_apply(conf, rows, n + 2, c);
}

int identity_config_new(const char *name, Conf *conf, IdentityConfig **ret) {
        _cleanup_(identity_config_freep) IdentityConfig *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->source = _IDENTITY_SOURCE_INVALID;
        r = free_and_strdup(&c->name, name);
        if (r >= 0)
                r = apply(c, conf);
        if (r >= 0)
                r = check_complete(c, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

IdentityConfig *identity_config_share(IdentityConfig *c) {
        c->n_more++;
        return c;
}

bool identity_config_equal(const IdentityConfig *a, const IdentityConfig *b) {
        return streq_ptr(a->name, b->name) && a->source == b->source &&
               streq_ptr(a->audience, b->audience) && strv_equal(a->settings, b->settings);
}

const char *identity_config_get(const IdentityConfig *c, const char *key) {
        return settings_get(c->settings, key);
}
