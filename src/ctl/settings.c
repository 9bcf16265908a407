/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The settings that may come over the bus, and their types.
 *
 * Checks no more than the type: what a value may be is for the daemon, which reads a file in the same way.
 * There is no key for a path, URL or command, and the daemon would take none. */

#include <errno.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "client/near.h"
#include "ctl/settings.h"

static const struct {
        const char *key;
        PropertyKind kind;
        const char *choices;
} settings[] = {
        { "Registry", PROPERTY_STRING, NULL },
        { "Robot", PROPERTY_STRING, NULL },
        { "Identity", PROPERTY_STRING, NULL },
        { "Scopes", PROPERTY_STRINGS, NULL },
        { "Targets", PROPERTY_STRINGS, NULL },
        { "MinimumRemaining", PROPERTY_SPAN, "20min" },
        { "OnExpiry", PROPERTY_STRING, "withdraw retain" },
        { "OnRemove", PROPERTY_STRING, "withdraw retain" },
        { "TakeOver", PROPERTY_BOOL, "yes no" },
        { "WakeSystem", PROPERTY_BOOL, "yes no" },
};

int settings_keys(char ***ret) {
        _cleanup_strv_ char **l = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(settings) && r >= 0; i++) {
                char *word = NULL;

                r = text_format(&word, "%s=", settings[i].key);
                if (r >= 0)
                        r = strv_consume(&l, word);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

const char *settings_choices(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (streq(settings[i].key, key))
                        return settings[i].choices;
        return NULL;
}

static int unknown(const char *key, char **reterr) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        _cleanup_free_ char *shown = NULL, *all = NULL;
        int r;

        r = text_clean(key, strlen(key), 64, &shown);
        for (size_t i = 0; i < ELEMENTSOF(settings) && r >= 0; i++)
                r = strv_append(&names, settings[i].key);
        if (r >= 0)
                r = near_names(key, names, 1, &near);
        if (r >= 0)
                r = strv_join(names, "=, ", &all);
        if (r >= 0)
                r = near && near[0]
                            ? text_format(reterr, "There is no setting '%s=', did you mean '%s='?", shown,
                                          near[0])
                            : text_format(
                                      reterr,
                                      "There is no setting '%s=' here, there are %s=; all else stands in "
                                      "files, which 'pullauthctl edit' opens",
                                      shown, all);
        return r < 0 ? r : 1;
}

static int wrong(const char *key, const char *value, const char *right, char **reterr) {
        _cleanup_free_ char *shown = NULL;
        int r;

        r = text_clean(value, strlen(value), 256, &shown);
        if (r >= 0)
                r = text_format(reterr, "%s=%s makes no sense, write %s", key, shown, right);
        return r < 0 ? r : 1;
}

static JobSetting *find(JobSettings *l, const char *key) {
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i].key, key))
                        return l->items + i;
        return NULL;
}

static int place(JobSettings *l, size_t row, JobSetting **ret) {
        JobSetting *grown;

        *ret = find(l, settings[row].key);
        if (*ret)
                return 0;
        grown = reallocarray(l->items, l->n_items + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        *ret = grown + l->n_items++;
        **ret = (JobSetting){ .key = settings[row].key, .kind = settings[row].kind };
        return 0;
}

/* As in a file: words are added, an empty value empties. */
static int add_words(JobSetting *s, const char *value) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (isempty(value))
                s->strings = strv_free(s->strings);
        r = strv_split_words(value, &words);
        for (size_t i = 0; words && words[i] && r >= 0; i++)
                r = strv_append(&s->strings, words[i]);
        return r;
}

static int set(JobSetting *s, const char *value, char **reterr) {
        int r;

        switch (s->kind) {
        case PROPERTY_STRING:
        case PROPERTY_LINES:
                r = free_and_strdup(&s->string, value);
                return r < 0 ? r : 0;
        case PROPERTY_STRINGS:
                return add_words(s, value);
        case PROPERTY_SPAN:
                s->number = 0;
                if (!isempty(value) && parse_span(value, &s->number) < 0)
                        return wrong(s->key, value, "a span of time like 20min", reterr);
                return 0;
        case PROPERTY_BOOL:
                /* What is not set is off. */
                r = isempty(value) ? 0 : parse_bool(value);
                if (r < 0)
                        return wrong(s->key, value, "yes or no", reterr);
                s->number = (uint64_t) r;
                return 0;
        case PROPERTY_U32:
        case PROPERTY_U64:
        case PROPERTY_I64:
        case PROPERTY_TIME:
        case PROPERTY_ROWS:
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

static int parse_one(JobSettings *l, const char *word, char **reterr) {
        const char *value = strchr(word, '=');
        _cleanup_free_ char *key = NULL, *shown = NULL;
        JobSetting *s;
        int r;

        if (!value) {
                r = text_clean(word, strlen(word), 64, &shown);
                if (r >= 0)
                        r = text_format(reterr, "'%s' is no setting, write KEY=VALUE", shown);
                return r < 0 ? r : 1;
        }
        key = strndup(word, (size_t) (value - word));
        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                if (!streq(settings[i].key, key))
                        continue;
                r = place(l, i, &s);
                return r < 0 ? r : set(s, value + 1, reterr);
        }
        return unknown(key, reterr);
}

int settings_parse(JobSettings *l, char *const *words, char **reterr) {
        STRV_FOREACH(word, words) {
                int r = parse_one(l, *word, reterr);

                if (r != 0)
                        return r;
        }
        return 0;
}
