/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of configuration keys: one shape, one function.
 *
 * Owns nothing; refuses what is not exactly of the shape and says what would be. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "model/config-value.h"

int config_complain(char **reterr, const char *format, ...) {
        va_list ap;
        char *text;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return -ENOMEM;
        free(*reterr);
        *reterr = text;
        return 1;
}

static int assign(char **p, const char *value) {
        int r;

        r = free_and_strdup(p, isempty(value) ? NULL : value);
        return r < 0 ? r : 0;
}

int config_set_token(const ConfAssignment *a, char **p, char **reterr) {
        if (!isempty(a->value) && !text_is_token(a->value))
                return config_complain(reterr, "%s= must be printable ASCII without blanks", a->key);
        return assign(p, a->value);
}

static bool path_is_normal(const char *s) {
        if (s[0] != '/' || !text_is_utf8(s, strlen(s)))
                return false;
        for (const char *c = s; *c == '/';) {
                size_t n = strcspn(++c, "/");

                if (n == 0 || (n == 1 && c[0] == '.') || (n == 2 && c[0] == '.' && c[1] == '.'))
                        return false;
                c += n;
        }
        return true;
}

int config_set_path(const ConfAssignment *a, char **p, char **reterr) {
        if (!isempty(a->value) && !path_is_normal(a->value))
                return config_complain(reterr,
                                       "%s=%s is not an absolute path without '.', '..' and doubled slashes",
                                       a->key, a->value);
        return assign(p, a->value);
}

int config_set_bool(const ConfAssignment *a, bool *p, bool reset_to, char **reterr) {
        int r;

        if (isempty(a->value)) {
                *p = reset_to;
                return 0;
        }
        r = parse_bool(a->value);
        if (r < 0)
                return config_complain(reterr, "%s=%s is not a boolean, use yes or no", a->key, a->value);
        *p = r;
        return 0;
}

int config_set_span(const ConfAssignment *a, usec_t *p, usec_t min, usec_t max, const char *example,
                    char **reterr) {
        char buf_min[SPAN_MAX], buf_max[SPAN_MAX];
        usec_t value;

        if (isempty(a->value)) {
                *p = 0;
                return 0;
        }
        if (parse_span(a->value, &value) < 0 || value < min || value > max)
                return config_complain(reterr, "%s=%s is not a time span between %s and %s, for example %s",
                                       a->key, a->value, format_span(buf_min, min),
                                       format_span(buf_max, max), example);
        *p = value;
        return 0;
}

int config_append_words(const ConfAssignment *a, char ***list, bool (*is_valid)(const char *), size_t max,
                        const char *example, char **reterr) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (isempty(a->value)) {
                *list = strv_free(*list);
                return 0;
        }
        r = strv_split_words(a->value, &words);
        if (r < 0)
                return r;
        STRV_FOREACH(w, words) {
                if (!is_valid(*w))
                        return config_complain(reterr, "'%s' in %s= is not valid, write for example %s=%s",
                                               *w, a->key, a->key, example);
                if (strv_contains(*list, *w))
                        continue;
                if (strv_length(*list) >= max)
                        return config_complain(reterr, "%s= has more than %zu entries", a->key, max);
                r = strv_append(list, *w);
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *config_main_file(const Conf *conf) {
        return conf->files && conf->files[0] ? conf->files[0] : "(no file)";
}
