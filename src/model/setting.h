/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of a source of identities or of an exchange: keys with values in canonical form, of which each
 * source and each exchange takes some. Lists of them are KEY, VALUE, KEY, VALUE … */

#include "base/macro.h"
#include "codec/conf.h"

typedef enum SettingValue {
        SETTING_VALUE_TOKEN,     /* printable ASCII without blanks */
        SETTING_VALUE_TEXT,      /* any one line */
        SETTING_VALUE_COMMAND,   /* an absolute path and arguments, no shell */
        SETTING_VALUE_URL,       /* https://… */
        SETTING_VALUE_URL_PLAIN, /* http://… as well: proxies, and metadata services of clouds */
        SETTING_VALUE_NAME,      /* of a credential of the service manager */
        SETTING_VALUE_FILE,      /* absolute path or "credential:NAME"; the worker gets the content */
        SETTING_VALUE_CA,        /* likewise; certificates in PEM form */
        SETTING_VALUE_BOOL,      /* kept as "yes"; "no" is as if it were not there */
        SETTING_VALUE_OBJECT,    /* "Kind/name[/uid]" of Kubernetes */
        SETTING_VALUE_SPAN,      /* kept as µs in decimal */
        SETTING_VALUE_CHOICE,    /* one of `choices` */
        SETTING_VALUE_SOCKET,    /* unix:///path, kept as the path */
        _SETTING_VALUE_MAX,
        _SETTING_VALUE_INVALID = -EINVAL,
} SettingValue;

#define SETTING_CREDENTIAL_PREFIX "credential:"

typedef struct SettingKey {
        const char *key;
        unsigned users;    /* bits of those that take it: 1 << source, or 1 << exchange */
        unsigned required; /* those that cannot do without */
        SettingValue value;
        const char *example;
        const char *choices; /* SETTING_VALUE_CHOICE: separated by blanks */
        const char *prefix;  /* SETTING_VALUE_TOKEN: what it has to begin with, or NULL */
        unsigned seconds[2]; /* SETTING_VALUE_SPAN: shortest and longest */
} SettingKey;

/* The absolute path in an address of the form unix:///PATH (or unix:/PATH, or the path alone); NULL if it is
 * none, or too long for the kernel. */
const char *setting_socket_path(const char *address);
/* Could libcurl make a connection of it, by https or, if `plain`, by http? No user name stands in it. */
bool setting_url_is_sane(const char *s, bool plain);

static inline bool setting_key_is_file(const SettingKey *k) {
        return k->value == SETTING_VALUE_FILE || k->value == SETTING_VALUE_CA ||
               k->value == SETTING_VALUE_NAME;
}

/* The value of one key, or NULL. */
const char *settings_get(char *const *settings, const char *key);
/* Takes one line; a later one takes the place of an earlier one, also when it is wrong. Returns 0, 1 with
 * *reterr, -ENOMEM, as the set function of a ConfKey must. */
int settings_take(char ***settings, const SettingKey *k, const ConfAssignment *a, char **reterr);

/* Where one key of several is needed, and two would contradict each other. */
typedef struct SettingChoice {
        unsigned users;
        const char *when; /* only beside this key; NULL: always */
        const char *keys[4];
        bool optional; /* none will do as well */
} SettingChoice;

/* Keys that are no use without another one; `value` NULL: whatever the first one says. */
typedef struct SettingCompanion {
        unsigned users;
        const char *key, *value, *needs;
} SettingCompanion;

/* What some users take less of than the table of keys says, for spans. */
typedef struct SettingLimit {
        unsigned users;
        const char *key;
        unsigned shortest, longest; /* seconds; 0: as in the table */
} SettingLimit;

typedef struct SettingRules {
        const SettingKey *keys;
        size_t n_keys;
        const SettingChoice *choices;
        size_t n_choices;
        const SettingCompanion *companions;
        size_t n_companions;
        const SettingLimit *limits;
        size_t n_limits;
} SettingRules;

/* Drops what `user` (a bit) does not take, with a warning, and complains of what is missing or too much;
 * `name` is what chose the user, as in "Source=file". Returns 0 or -ENOMEM. */
int settings_check(char **settings, const SettingRules *rules, unsigned user, const char *name, Conf *conf);
