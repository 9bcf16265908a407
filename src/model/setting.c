/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of settings, lists of them, and what keys demand of each other.
 *
 * Owns what each shape of value must look like; which keys there are is for the tables of those who take
 * them. Reads no file: whether what a path names is there is a matter of each attempt. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/un.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/command.h"
#include "model/config-value.h"
#include "model/setting.h"

#define CREDENTIAL_NAME_MAX 255

const char *setting_socket_path(const char *address) {
        const char *path = startswith(address, "unix://") ?: startswith(address, "unix:") ?: address;

        return path[0] == '/' && text_is_token(path) &&
                               strlen(path) < sizeof(((struct sockaddr_un *) NULL)->sun_path)
                       ? path
                       : NULL;
}

/* What systemd takes for the name of a credential is a file name. */
static bool credential_name_is_valid(const char *s) {
        return !isempty(s) && text_is_token(s) && !strchr(s, '/') && !streq(s, ".") && !streq(s, "..") &&
               strlen(s) <= CREDENTIAL_NAME_MAX;
}

static int take_file(const ConfAssignment *a, char **p, char **reterr) {
        const char *name = startswith(a->value, SETTING_CREDENTIAL_PREFIX);

        if (!name)
                return config_set_path(a, p, reterr);
        if (!credential_name_is_valid(name))
                return config_complain(reterr,
                                       "%s=%s does not name a credential, write for example %s=%sname",
                                       a->key, a->value, a->key, SETTING_CREDENTIAL_PREFIX);
        return free_and_strdup(p, a->value);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME LETTERS "0123456789-._"

/* A host and maybe a port. No user name or password: those have no place in a file that everyone may
 * read. */
static bool authority_is_sane(const char *s, size_t size) {
        bool bracket = s[0] == '[';
        size_t n = bracket ? 1 + strspn(s + 1, NAME ":%") : strspn(s, NAME);
        char port[8];
        uint64_t number;

        if (n == bracket || (bracket && s[n++] != ']'))
                return false;
        if (n >= size)
                return n == size;
        size -= n + 1;
        if (s[n] != ':' || size == 0 || size >= sizeof(port))
                return false;
        (void) memcpy(port, s + n + 1, size);
        port[size] = '\0';
        return parse_u64(port, 1, UINT16_MAX, &number) >= 0;
}

bool setting_url_is_sane(const char *s, bool plain) {
        const char *rest = startswith(s, "https://");

        if (!rest && plain)
                rest = startswith(s, "http://");
        return rest && text_is_token(s) && authority_is_sane(rest, strcspn(rest, "/?#"));
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

static int take_span(const SettingKey *k, const ConfAssignment *a, char **p, char **reterr) {
        usec_t usec;
        int r;

        r = config_set_span(a, &usec, k->seconds[0] * USEC_PER_SEC, k->seconds[1] * USEC_PER_SEC, k->example,
                            reterr);
        if (r != 0)
                return r;
        free(*p);
        *p = NULL;
        return text_format(p, "%" PRIu64, usec);
}

static int take_if(bool valid, const SettingKey *k, const ConfAssignment *a, char **p, char **reterr) {
        if (valid)
                return free_and_strdup(p, a->value);
        return config_complain(reterr, "%s=%s is not valid, write for example %s=%s", a->key, a->value,
                               k->key, k->example);
}

static int take_socket(const SettingKey *k, const ConfAssignment *a, char **p, char **reterr) {
        const char *path = setting_socket_path(a->value);

        return path ? free_and_strdup(p, path) : take_if(false, k, a, p, reterr);
}

static int take_command(const SettingKey *k, const ConfAssignment *a, char **p, char **reterr) {
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
static int take_value(const SettingKey *k, const ConfAssignment *a, char **p, char **reterr) {
        switch (k->value) {
        case SETTING_VALUE_TOKEN:
                if (k->prefix && !startswith(a->value, k->prefix))
                        return take_if(false, k, a, p, reterr);
                return config_set_token(a, p, reterr);
        case SETTING_VALUE_TEXT:
                return free_and_strdup(p, a->value);
        case SETTING_VALUE_COMMAND:
                return take_command(k, a, p, reterr);
        case SETTING_VALUE_URL:
        case SETTING_VALUE_URL_PLAIN:
                return take_if(setting_url_is_sane(a->value, k->value == SETTING_VALUE_URL_PLAIN), k, a, p,
                               reterr);
        case SETTING_VALUE_NAME:
                return take_if(credential_name_is_valid(a->value), k, a, p, reterr);
        case SETTING_VALUE_FILE:
        case SETTING_VALUE_CA:
                return take_file(a, p, reterr);
        case SETTING_VALUE_BOOL:
                return take_bool(a, p, reterr);
        case SETTING_VALUE_SPAN:
                return take_span(k, a, p, reterr);
        case SETTING_VALUE_OBJECT:
                return take_if(object_is_sane(a->value), k, a, p, reterr);
        case SETTING_VALUE_SOCKET:
                return take_socket(k, a, p, reterr);
        case SETTING_VALUE_CHOICE:
                if (is_choice(k->choices, a->value))
                        return free_and_strdup(p, a->value);
                return config_complain(reterr, "%s=%s is not valid, use one of: %s", a->key, a->value,
                                       k->choices);
        case _SETTING_VALUE_MAX:
        case _SETTING_VALUE_INVALID:
                break;
        }
        return -EINVAL;
}

static char **find_setting(char *const *settings, const char *key) {
        for (char **s = (char **) settings; s && s[0]; s += 2)
                if (streq(s[0], key))
                        return s;
        return NULL;
}

const char *settings_get(char *const *settings, const char *key) {
        char **s = find_setting(settings, key);

        return s ? s[1] : NULL;
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

static int add_setting(char ***settings, const char *key, char *value) {
        _cleanup_free_ char *owned = value;
        int r;

        r = strv_append(settings, key);
        if (r < 0)
                return r;
        r = strv_consume(settings, TAKE_PTR(owned));
        if (r < 0) {
                /* No key without a value. */
                size_t n = strv_length(*settings);

                free((*settings)[n - 1]);
                (*settings)[n - 1] = NULL;
        }
        return r;
}

int settings_take(char ***settings, const SettingKey *k, const ConfAssignment *a, char **reterr) {
        char **old = find_setting(*settings, a->key);
        _cleanup_free_ char *value = NULL;
        int r;

        if (old)
                remove_setting(old);
        if (isempty(a->value))
                return 0;
        r = take_value(k, a, &value, reterr);
        /* A "no" leaves nothing. */
        if (r < 0 || *reterr || !value)
                return r;
        return add_setting(settings, k->key, TAKE_PTR(value));
}

/* Where a key was set last, for messages. */
static const ConfAssignment *find_assignment(const Conf *conf, const char *key) {
        for (size_t i = conf->n_assignments; i > 0; i--)
                if (streq(conf->assignments[i - 1].key, key))
                        return conf->assignments + i - 1;
        return NULL;
}

static const SettingKey *find_key(const SettingRules *rules, const char *key) {
        for (size_t i = 0; i < rules->n_keys; i++)
                if (streq(rules->keys[i].key, key))
                        return rules->keys + i;
        return NULL;
}

/* Keys of others do no harm, but whoever wrote them thought that they would do something. */
static int drop_foreign(char **settings, const SettingRules *rules, unsigned user, const char *name,
                        Conf *conf) {
        char **s = settings;

        while (s && s[0]) {
                const SettingKey *k = find_key(rules, s[0]);
                const ConfAssignment *a = find_assignment(conf, s[0]);
                int r;

                if (k && k->users & user) {
                        s += 2;
                        continue;
                }
                r = conf_add_message(conf, CONF_WARNING, a ? a->file : config_main_file(conf),
                                     a ? a->line : 0, "%s= means nothing with %s, ignoring", s[0], name);
                if (r < 0)
                        return r;
                remove_setting(s);
        }
        return 0;
}

static int check_required(char *const *settings, const SettingKey *k, const char *name, Conf *conf) {
        if (settings_get(settings, k->key))
                return 0;
        return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                "%s= is missing, %s needs it, add for example %s=%s", k->key, name, k->key,
                                k->example);
}

static int check_choice(char *const *settings, const SettingChoice *o, const char *name, Conf *conf) {
        _cleanup_free_ char *names = NULL;
        size_t n = 0;
        int r;

        for (const char *const *k = o->keys; *k; k++)
                n += !!settings_get(settings, *k);
        if (n == 1 || (n == 0 && o->optional))
                return 0;
        r = strv_join((char *const *) o->keys, "=, ", &names);
        if (r < 0)
                return r;
        return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0, "%s %s one of %s=", name,
                                o->optional ? "takes at most" : "needs exactly", names);
}

static int check_companion(char *const *settings, const SettingCompanion *c, Conf *conf) {
        const char *value = settings_get(settings, c->key);

        if (!value || (c->value && !streq(value, c->value)) || settings_get(settings, c->needs))
                return 0;
        return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0, "%s=%s needs %s=", c->key,
                                value, c->needs);
}

static int check_limit(char *const *settings, const SettingRules *rules, const SettingLimit *l,
                       const char *name, Conf *conf) {
        const ConfAssignment *a = find_assignment(conf, l->key);
        const char *value = settings_get(settings, l->key);
        char span[SPAN_MAX];
        bool is_short;
        usec_t usec;

        if (!value || !a || parse_u64(value, 0, UINT64_MAX, &usec) < 0)
                return 0;
        is_short = usec < l->shortest * USEC_PER_SEC;
        if (!is_short && (l->longest == 0 || usec <= l->longest * USEC_PER_SEC))
                return 0;
        return conf_add_message(conf, CONF_ERROR, a->file, a->line,
                                "%s=%s is %s than the %s that %s takes at %s, write for example %s=%s",
                                l->key, a->value, is_short ? "shorter" : "longer",
                                format_span(span, (is_short ? l->shortest : l->longest) * USEC_PER_SEC),
                                name, is_short ? "least" : "most", l->key, find_key(rules, l->key)->example);
}

int settings_check(char **settings, const SettingRules *rules, unsigned user, const char *name, Conf *conf) {
        int r;

        r = drop_foreign(settings, rules, user, name, conf);
        for (size_t i = 0; i < rules->n_keys && r >= 0; i++)
                if (rules->keys[i].required & user)
                        r = check_required(settings, rules->keys + i, name, conf);
        for (size_t i = 0; i < rules->n_choices && r >= 0; i++)
                if (rules->choices[i].users & user &&
                    (!rules->choices[i].when || settings_get(settings, rules->choices[i].when)))
                        r = check_choice(settings, rules->choices + i, name, conf);
        for (size_t i = 0; i < rules->n_companions && r >= 0; i++)
                if (rules->companions[i].users & user)
                        r = check_companion(settings, rules->companions + i, conf);
        for (size_t i = 0; i < rules->n_limits && r >= 0; i++)
                if (rules->limits[i].users & user)
                        r = check_limit(settings, rules, rules->limits + i, name, conf);
        return r < 0 ? r : 0;
}
