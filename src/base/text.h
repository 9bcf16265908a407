/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings and string vectors (NULL-terminated arrays, "strv"). */

#include <stdarg.h>
#include <string.h>

#include "base/macro.h"

#define WHITESPACE " \t\n\r"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Like streq(), but NULL equals NULL and nothing else. */
bool streq_ptr(const char *a, const char *b);
/* The rest of `s` behind `prefix`, or NULL. */
const char *startswith(const char *s, const char *prefix);
const char *endswith(const char *s, const char *suffix);
static inline const char *strempty(const char *s) {
        return s ?: "";
}
static inline bool isempty(const char *s) {
        return !s || s[0] == '\0';
}

/* Replaces *p by a copy of s (NULL clears). Returns 1 if it changed, 0 if it was equal, -ENOMEM. */
int free_and_strdup(char **p, const char *s);
/* asprintf that writes `*ret` on success only. Returns 0 or -ENOMEM. */
int text_format(char **ret, const char *format, ...) _printf_(2, 3);

/* True if every byte of s is printable ASCII without blanks (no control characters, no DEL, no space). */
bool text_is_token(const char *s);
bool text_is_utf8(const void *data, size_t size);

/* Makes text from outside fit for a log line, a property or a terminal: invalid UTF-8 becomes U+FFFD;
 * control characters (C0, DEL, C1), line and paragraph separators and bidirectional overrides become one
 * space, runs of blanks collapse, blanks at both ends go, and what is longer than `max` bytes is cut at a
 * character boundary with an ellipsis ("…", counted in `max`; max >= 4). Returns 0 or -ENOMEM. */
int text_clean(const void *data, size_t size, size_t max, char **ret);

/* Formats and cleans. Returns 0 or -ENOMEM. */
int text_format_clean(char **ret, size_t max, const char *format, va_list arguments) _printf_(3, 0);

/* The same for a whole text: lines, their indentation and all blanks stay; what else is cleaned above
 * becomes '?', nothing is cut. */
int text_clean_lines(const void *data, size_t size, char **ret);

/* To one line, where there is no memory to ask for: what is cleaned above becomes as many blanks as it has
 * bytes, what is no character as many '?', nothing is cut. */
void text_clean_in_place(char *text);

char **strv_free(char **l);
DEFINE_CLEANUP(char **, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)
size_t strv_length(char *const *l);
bool strv_contains(char *const *l, const char *s);
bool strv_equal(char *const *a, char *const *b);
/* The first of `a` that is in `b`, too, or NULL. */
const char *strv_common(char *const *a, char *const *b);
int strv_append(char ***l, const char *s); /* copies */
int strv_consume(char ***l, char *s);      /* takes s, frees it on error */
int strv_copy(char *const *l, char ***ret);
/* Splits at any of WHITESPACE, no quoting. An empty text gives an empty vector. */
int strv_split_words(const char *s, char ***ret);
int strv_join(char *const *l, const char *separator, char **ret);
void strv_sort(char **l);
#define STRV_FOREACH(i, l) for (char *const *i = (l); i && *i; i++)
