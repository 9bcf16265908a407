/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Candidates for one word.
 *
 * The shells only pass words here and show what comes back, so that commands and options stand in one place.
 * Knows nothing of quoting: names of jobs need none, and files are completed by the shell itself. */

#include <string.h>

#include "base/text.h"
#include "ctl/complete.h"
#include "ctl/settings.h"
#include "model/consumer.h"

#define SHELLS "bash zsh fish"

static const char *current(char *const *words) {
        size_t n = strv_length(words);

        return n > 0 ? words[n - 1] : "";
}

/* "--root DIR": the value is a word of its own. */
static bool takes_next(const char *word) {
        OptionId id;

        if (!startswith(word, "--") || strchr(word, '='))
                return false;
        id = option_find(word + 2);
        return id >= 0 && option_get(id)->value && !option_get(id)->optional;
}

/* The command among the words before the last one, and how many arguments follow it. */
static const Verb *find_verb(char *const *words, size_t *ret_n) {
        const Verb *verb = NULL;

        *ret_n = 0;
        for (size_t i = 0; words && words[i] && words[i + 1]; i++) {
                if (words[i][0] == '-') {
                        if (takes_next(words[i]) && words[i + 2])
                                i++;
                        continue;
                }
                if (verb)
                        (*ret_n)++;
                else
                        verb = verb_find(words[i]);
        }
        return verb;
}

/* Adds "PREFIXvalue" and what it is, if it goes on from what was typed. */
static int offer(char ***l, const char *typed, const char *prefix, const char *value, const char *what) {
        _cleanup_free_ char *word = NULL, *line = NULL;
        int r;

        r = text_format(&word, "%s%s", prefix, value);
        if (r < 0 || !startswith(word, typed))
                return r;
        r = text_format(&line, "%s%s%s", word, isempty(what) ? "" : "\t", strempty(what));
        return r < 0 ? r : strv_append(l, line);
}

static int offer_all(char ***l, const char *typed, const char *prefix, char *const *values) {
        int r = 0;

        for (size_t i = 0; values && values[i] && r >= 0; i++)
                r = offer(l, typed, prefix, values[i], NULL);
        return r;
}

static int offer_choices(char ***l, const char *typed, const char *prefix, const char *choices) {
        _cleanup_strv_ char **values = NULL;
        int r;

        r = strv_split_words(choices, &values);
        return r < 0 ? r : offer_all(l, typed, prefix, values);
}

static int offer_options(char ***l, const char *typed, const Verb *verb) {
        int r = 0;

        for (OptionId i = 0; i < _OPT_MAX && r >= 0; i++) {
                const Option *o = option_get(i);
                _cleanup_free_ char *word = NULL;

                if (!((OPTIONS_COMMON | (verb ? verb->options : 0)) & (UINT32_C(1) << i)))
                        continue;
                r = text_format(&word, "--%s%s", o->name, o->value && !o->optional ? "=" : "");
                if (r >= 0)
                        r = offer(l, typed, "", word, o->help);
        }
        return r;
}

/* "--json=pr": values of an option. */
static int offer_values(char ***l, const char *typed, const CompletionNames *names) {
        const char *value = strchr(typed, '=');
        _cleanup_free_ char *name = strndup(typed + 2, (size_t) (value - typed) - 2), *prefix = NULL;
        OptionId id;
        int r;

        if (!name)
                return -ENOMEM;
        id = option_find(name);
        if (id < 0 || !option_get(id)->choices)
                return 0;
        r = text_format(&prefix, "--%s=", name);
        if (r < 0)
                return r;
        if (id == OPT_REGISTRY)
                return offer_all(l, typed, prefix, names->registries);
        return id == OPT_ROOT ? 0 : offer_choices(l, typed, prefix, option_get(id)->choices);
}

static int offer_settings(char ***l, const char *typed, const CompletionNames *names) {
        const char *value = strchr(typed, '=');
        _cleanup_free_ char *key = NULL, *prefix = NULL;
        _cleanup_strv_ char **keys = NULL;
        int r;

        if (!value) {
                r = settings_keys(&keys);
                return r < 0 ? r : offer_all(l, typed, "", keys);
        }
        key = strndup(typed, (size_t) (value - typed));
        if (!key)
                return -ENOMEM;
        r = text_format(&prefix, "%s=", key);
        if (r < 0)
                return r;
        if (streq(key, "Identity"))
                return offer_all(l, typed, prefix, names->identities);
        if (streq(key, "Targets"))
                return offer_all(l, typed, prefix, names->targets);
        if (streq(key, "Registry"))
                return offer_all(l, typed, prefix, names->registries);
        return offer_choices(l, typed, prefix, strempty(settings_choices(key)));
}

static int offer_verbs(char ***l, const char *typed) {
        const Verb *verbs;
        size_t n;
        int r = 0;

        verbs = verb_all(&n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = offer(l, typed, "", verbs[i].name, verbs[i].summary);
        return r;
}

static int offer_tools(char ***l, const char *typed) {
        const Consumer *consumers;
        size_t n;
        int r = 0;

        consumers = consumer_all(&n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = offer(l, typed, "", consumers[i].name, consumers[i].description);
        return r;
}

static int offer_files(char ***l, const char *typed, char *const *names, const char *suffix) {
        int r = 0;

        for (size_t i = 0; names && names[i] && r >= 0; i++) {
                _cleanup_free_ char *word = NULL;

                r = text_format(&word, "%s%s", names[i], suffix);
                if (r >= 0)
                        r = offer(l, typed, "", word, NULL);
        }
        return r;
}

static int offer_arguments(char ***l, const char *typed, ArgumentKind kind, const CompletionNames *names) {
        int r;

        switch (kind) {
        case ARGUMENT_JOB:
                return offer_all(l, typed, "", names->jobs);
        case ARGUMENT_IDENTITY:
                return offer_all(l, typed, "", names->identities);
        case ARGUMENT_TARGET:
                return offer_all(l, typed, "", names->targets);
        case ARGUMENT_DEFINITION:
                r = offer_all(l, typed, "", names->jobs);
                if (r >= 0)
                        r = offer_files(l, typed, names->identities, ".identity");
                return r < 0 ? r : offer_files(l, typed, names->targets, ".target");
        case ARGUMENT_SETTING:
                return offer_settings(l, typed, names);
        case ARGUMENT_COMMAND:
                return offer_verbs(l, typed);
        case ARGUMENT_SHELL:
                return offer_choices(l, typed, "", SHELLS);
        case ARGUMENT_TOOL:
                return offer_tools(l, typed);
        case ARGUMENT_NONE:
        case ARGUMENT_NEW:
        case ARGUMENT_FILE:
        case ARGUMENT_WORD:
        case _ARGUMENT_KIND_MAX:
        case _ARGUMENT_KIND_INVALID:
                break;
        }
        return 0;
}

bool complete_needs_names(char *const *words) {
        const char *typed = current(words);
        size_t n;
        const Verb *verb = find_verb(words, &n);

        if (startswith(typed, "--registry="))
                return true;
        if (!verb || typed[0] == '-')
                return false;
        switch (n == 0 ? verb->first : verb->others) {
        case ARGUMENT_JOB:
        case ARGUMENT_IDENTITY:
        case ARGUMENT_TARGET:
        case ARGUMENT_DEFINITION:
                return true;
        case ARGUMENT_SETTING:
                return strchr(typed, '=') != NULL;
        case ARGUMENT_NONE:
        case ARGUMENT_NEW:
        case ARGUMENT_FILE:
        case ARGUMENT_COMMAND:
        case ARGUMENT_SHELL:
        case ARGUMENT_TOOL:
        case ARGUMENT_WORD:
        case _ARGUMENT_KIND_MAX:
        case _ARGUMENT_KIND_INVALID:
                break;
        }
        return false;
}

int complete(char *const *words, const CompletionNames *names, char ***ret) {
        _cleanup_strv_ char **l = NULL;
        const char *typed = current(words);
        const Verb *verb;
        size_t n;
        int r;

        verb = find_verb(words, &n);
        if (startswith(typed, "--") && strchr(typed, '='))
                r = offer_values(&l, typed, names);
        else if (typed[0] == '-')
                r = offer_options(&l, typed, verb);
        else if (!verb)
                r = offer_verbs(&l, typed);
        else
                r = offer_arguments(&l, typed, n == 0 ? verb->first : verb->others, names);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}
