/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of an *.identity file to an IdentityConfig.
 *
 * Owns what each shape of value must look like; which keys there are is the table of model/identity-key.
 * Reads no file and checks nothing that needs one: a token file that does not exist is a matter of each
 * attempt, not of the configuration. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/command.h"
#include "model/config-value.h"
#include "model/identity-config.h"

#define CREDENTIAL_NAME_MAX 255

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

/* What systemd takes for the name of a credential is a file name. */
static bool credential_name_is_valid(const char *s) {
        return !isempty(s) && text_is_token(s) && !strchr(s, '/') && !streq(s, ".") && !streq(s, "..") &&
               strlen(s) <= CREDENTIAL_NAME_MAX;
}

static int take_file(const ConfAssignment *a, char **p, char **reterr) {
        const char *name = startswith(a->value, IDENTITY_CREDENTIAL_PREFIX);

        if (!name)
                return config_set_path(a, p, reterr);
        if (!credential_name_is_valid(name))
                return config_complain(reterr,
                                       "%s=%s does not name a credential, write for example %s=%sname",
                                       a->key, a->value, a->key, IDENTITY_CREDENTIAL_PREFIX);
        return free_and_strdup(p, a->value);
}

static bool url_is_sane(const char *s, bool plain) {
        const char *rest = startswith(s, "https://");

        if (!rest && plain)
                rest = startswith(s, "http://");
        /* No user name or password: those have no place in a file that everyone may read. */
        return rest && text_is_token(s) && rest[0] != '\0' && rest[0] != '/' &&
               !memchr(rest, '@', strcspn(rest, "/"));
}

static bool is_choice(const char *choices, const char *value) {
        size_t n = strlen(value);

        for (const char *c = choices; *c; c += strspn(c, " ")) {
                size_t length = strcspn(c, " ");

                if (length == n && memcmp(c, value, n) == 0)
                        return true;
                c += length;
        }
        return false;
}

static int take_bool(const ConfAssignment *a, char **p, char **reterr) {
        bool b;
        int r;

        r = config_set_bool(a, &b, /* reset_to= */ false, reterr);
        return r != 0 || !b ? r : free_and_strdup(p, "yes");
}

/* What a token of a service account can be bound to. */
static bool object_is_sane(const char *s) {
        static const char *const kinds[] = { "Pod/", "Secret/", "Node/" };
        const char *name = NULL, *uid;

        for (size_t i = 0; i < ELEMENTSOF(kinds) && !name; i++)
                name = startswith(s, kinds[i]);
        if (!name || name[0] == '\0' || name[0] == '/' || !text_is_token(name))
                return false;
        uid = strchr(name, '/');
        return !uid || (uid[1] != '\0' && !strchr(uid + 1, '/'));
}

static int take_span(const IdentityKey *k, const ConfAssignment *a, char **p, char **reterr) {
        usec_t usec;
        int r;

        r = config_set_span(a, &usec, k->seconds[0] * USEC_PER_SEC, k->seconds[1] * USEC_PER_SEC, reterr);
        if (r != 0)
                return r;
        free(*p);
        *p = NULL;
        return text_format(p, "%" PRIu64, usec);
}

static int take_if(bool valid, const IdentityKey *k, const ConfAssignment *a, char **p, char **reterr) {
        if (valid)
                return free_and_strdup(p, a->value);
        return config_complain(reterr, "%s=%s is not valid, write for example %s=%s", a->key, a->value,
                               k->key, k->example);
}

static int take_socket(const IdentityKey *k, const ConfAssignment *a, char **p, char **reterr) {
        const char *path = identity_socket_path(a->value);

        return path ? free_and_strdup(p, path) : take_if(false, k, a, p, reterr);
}

static int take_command(const IdentityKey *k, const ConfAssignment *a, char **p, char **reterr) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = command_split(a->value, &words);
        if (r == -ENOMEM)
                return r;
        if (r == -E2BIG)
                return config_complain(reterr, "%s= has more than %d words", a->key, COMMAND_WORDS_MAX);
        if (r == -EINVAL)
                return config_complain(reterr, "%s=%s has a quote or a backslash without its end", a->key,
                                       a->value);
        return take_if(words[0][0] == '/', k, a, p, reterr);
}

/* The value in its canonical form. Returns 0 (or 1 from a copy: it changed), 1 with *reterr, -ENOMEM. */
static int take_value(const IdentityKey *k, const ConfAssignment *a, char **p, char **reterr) {
        switch (k->value) {
        case IDENTITY_VALUE_TOKEN:
                return config_set_token(a, p, reterr);
        case IDENTITY_VALUE_TEXT:
                return free_and_strdup(p, a->value);
        case IDENTITY_VALUE_COMMAND:
                return take_command(k, a, p, reterr);
        case IDENTITY_VALUE_URL:
        case IDENTITY_VALUE_URL_PLAIN:
                return take_if(url_is_sane(a->value, k->value == IDENTITY_VALUE_URL_PLAIN), k, a, p, reterr);
        case IDENTITY_VALUE_NAME:
                return take_if(credential_name_is_valid(a->value), k, a, p, reterr);
        case IDENTITY_VALUE_FILE:
        case IDENTITY_VALUE_CA:
                return take_file(a, p, reterr);
        case IDENTITY_VALUE_BOOL:
                return take_bool(a, p, reterr);
        case IDENTITY_VALUE_SPAN:
                return take_span(k, a, p, reterr);
        case IDENTITY_VALUE_OBJECT:
                return take_if(object_is_sane(a->value), k, a, p, reterr);
        case IDENTITY_VALUE_SOCKET:
                return take_socket(k, a, p, reterr);
        case IDENTITY_VALUE_CHOICE:
                if (is_choice(k->choices, a->value))
                        return free_and_strdup(p, a->value);
                return config_complain(reterr, "%s=%s is not valid, use one of: %s", a->key, a->value,
                                       k->choices);
        case _IDENTITY_VALUE_MAX:
        case _IDENTITY_VALUE_INVALID:
                break;
        }
        return -EINVAL;
}

static char **find_setting(const IdentityConfig *c, const char *key) {
        for (char **s = c->settings; s && s[0]; s += 2)
                if (streq(s[0], key))
                        return s;
        return NULL;
}

/* Takes both strings out. */
static void remove_setting(char **s) {
        free(s[0]);
        free(s[1]);
        do {
                s[0] = s[2];
                s[1] = s[2] ? s[3] : NULL;
                s += 2;
        } while (s[-2]);
}

static int add_setting(IdentityConfig *c, const char *key, char *value) {
        _cleanup_free_ char *owned = value;
        int r;

        r = strv_append(&c->settings, key);
        if (r < 0)
                return r;
        r = strv_consume(&c->settings, TAKE_PTR(owned));
        if (r < 0) {
                /* No key without a value. */
                size_t n = strv_length(c->settings);

                free(c->settings[n - 1]);
                c->settings[n - 1] = NULL;
        }
        return r;
}

/* A later line takes the place of an earlier one, also when it is wrong: no half-true identity. */
static int set_setting(const ConfAssignment *a, void *userdata, char **reterr) {
        const IdentityKey *k = identity_key_find(a->key);
        _cleanup_free_ char *value = NULL;
        IdentityConfig *c = userdata;
        char **old = find_setting(c, a->key);
        int r;

        if (old)
                remove_setting(old);
        if (isempty(a->value))
                return 0;
        r = take_value(k, a, &value, reterr);
        /* A "no" leaves nothing. */
        if (r < 0 || *reterr || !value)
                return r;
        return add_setting(c, k->key, TAKE_PTR(value));
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

/* Where a key was set last, for messages. */
static const ConfAssignment *find_assignment(const Conf *conf, const char *key) {
        for (size_t i = conf->n_assignments; i > 0; i--)
                if (streq(conf->assignments[i - 1].key, key))
                        return conf->assignments + i - 1;
        return NULL;
}

/* Keys of other sources do no harm, but whoever wrote them thought that they would do something. */
static int drop_foreign(IdentityConfig *c, Conf *conf) {
        char **s = c->settings;

        while (s && s[0]) {
                const IdentityKey *k = identity_key_find(s[0]);
                const ConfAssignment *a = find_assignment(conf, s[0]);
                int r;

                if (k->sources & 1U << c->source) {
                        s += 2;
                        continue;
                }
                r = conf_add_message(conf, CONF_WARNING, a ? a->file : config_main_file(conf),
                                     a ? a->line : 0, "%s= means nothing with Source=%s, ignoring", k->key,
                                     identity_source_to_string(c->source));
                if (r < 0)
                        return r;
                remove_setting(s);
        }
        return 0;
}

/* Where one key of several is needed, and two would contradict each other. */
static const struct OneOf {
        IdentitySource source;
        const char *when; /* only beside this key; NULL: always */
        const char *keys[4];
        bool optional; /* none will do as well */
} one_of[] = {
        { IDENTITY_SIGNED, NULL, { "KeyFile", "KeyURI" } },
        { IDENTITY_OAUTH2, NULL, { "ClientSecretFile", "ClientKeyFile" } },
        { IDENTITY_KUBERNETES, NULL, { "Server", "InCluster" } },
        { IDENTITY_KUBERNETES, "Server", { "TokenFile", "ClientKeyFile" } },
        { IDENTITY_AZURE, NULL, { "ClientID", "ObjectID", "ManagedIdentity" }, .optional = true },
};

static int check_one_of(const IdentityConfig *c, const struct OneOf *o, Conf *conf) {
        _cleanup_free_ char *names = NULL;
        size_t n = 0;
        int r;

        for (const char *const *k = o->keys; *k; k++)
                n += !!identity_config_get(c, *k);
        if (n == 1 || (n == 0 && o->optional))
                return 0;
        r = strv_join((char *const *) o->keys, "=, ", &names);
        if (r < 0)
                return r;
        return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                "Source=%s %s one of %s=", identity_source_to_string(c->source),
                                o->optional ? "takes at most" : "needs exactly", names);
}

/* Keys that are no use without another one; `value` NULL: whatever the first one says. */
static const struct {
        IdentitySource source;
        const char *key, *value, *needs;
} companions[] = {
        { IDENTITY_OAUTH2, "ClientAuthentication", "client_secret_basic", "ClientSecretFile" },
        { IDENTITY_OAUTH2, "ClientAuthentication", "client_secret_post", "ClientSecretFile" },
        { IDENTITY_OAUTH2, "ClientAuthentication", "private_key_jwt", "ClientKeyFile" },
        { IDENTITY_OAUTH2, "ClientAuthentication", "tls_client_auth", "ClientCertificateFile" },
        { IDENTITY_OAUTH2, "ClientCertificateFile", NULL, "ClientKeyFile" },
        { IDENTITY_KUBERNETES, "ClientCertificateFile", NULL, "ClientKeyFile" },
        { IDENTITY_KUBERNETES, "ClientKeyFile", NULL, "ClientCertificateFile" },
};

static int check_companions(const IdentityConfig *c, Conf *conf) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(companions) && r >= 0; i++) {
                const char *value = identity_config_get(c, companions[i].key);

                if (companions[i].source != c->source || !value ||
                    (companions[i].value && !streq(value, companions[i].value)) ||
                    identity_config_get(c, companions[i].needs))
                        continue;
                r = conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                     "%s=%s needs %s=", companions[i].key, value, companions[i].needs);
        }
        return r;
}

static int check_complete(IdentityConfig *c, Conf *conf) {
        const IdentityKey *keys;
        size_t n;
        int r;

        if (conf_has_error(conf))
                return 0;
        if (c->source < 0)
                return conf_add_message(
                        conf, CONF_ERROR, config_main_file(conf), 0,
                        "Source= is missing in section [Identity], add for example Source=file");
        r = drop_foreign(c, conf);
        if (r >= 0 && identity_source_needs_audience(c->source) && !c->audience)
                r = conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                     "Audience= is missing, Source=%s needs it, add for example "
                                     "Audience=quay",
                                     identity_source_to_string(c->source));
        keys = identity_key_all(&n);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (keys[i].required & 1U << c->source && !identity_config_get(c, keys[i].key))
                        r = conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                             "%s= is missing, Source=%s needs it, add for example %s=%s",
                                             keys[i].key, identity_source_to_string(c->source), keys[i].key,
                                             keys[i].example);
        for (size_t i = 0; i < ELEMENTSOF(one_of) && r >= 0; i++)
                if (one_of[i].source == c->source &&
                    (!one_of[i].when || identity_config_get(c, one_of[i].when)))
                        r = check_one_of(c, one_of + i, conf);
        return r < 0 ? r : check_companions(c, conf);
}

/* The rows that conf_apply() wants, from the table of keys. */
static int apply(IdentityConfig *c, Conf *conf) {
        _cleanup_free_ ConfKey *rows = NULL;
        const IdentityKey *keys;
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
        char **s = find_setting(c, key);

        return s ? s[1] : NULL;
}

bool identity_config_uses_file(const IdentityConfig *c, const char *path) {
        for (char **s = c->settings; s && s[0]; s += 2)
                if (identity_key_is_file(identity_key_find(s[0])) && streq(s[1], path))
                        return true;
        return false;
}
