/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Strings and string vectors: comparing, copying, splitting, and the cleaning that every text from
 * outside goes through before a person or a bus sees it. Owns nothing. It knows no locale, no encoding
 * but UTF-8, and never cuts a character in half. Secrets do not belong here: copies made by these
 * functions are not erased. */

#include <stdio.h>

#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"    /* U+2026 */
#define ELLIPSIS_SIZE (sizeof(ELLIPSIS) - 1)

bool streq_ptr(const char *a, const char *b) {
        if (!a || !b)
                return a == b;
        return streq(a, b);
}

const char *startswith(const char *s, const char *prefix) {
        size_t length = strlen(prefix);

        return strncmp(s, prefix, length) == 0 ? s + length : NULL;
}

const char *endswith(const char *s, const char *suffix) {
        size_t length = strlen(s), wanted = strlen(suffix);

        if (length < wanted || !streq(s + length - wanted, suffix))
                return NULL;
        return s + length - wanted;
}

int free_and_strdup(char **p, const char *s) {
        char *copy = NULL;

        if (streq_ptr(*p, s))
                return 0;
        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*p);
        *p = copy;
        return 1;
}

int text_format(char **ret, const char *format, ...) {
        va_list arguments;
        char *text;
        int r;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0)
                return -ENOMEM;
        *ret = text;
        return 0;
}

bool text_is_token(const char *s) {
        for (; *s; s++)
                if (*s <= ' ' || *s >= 0x7f)
                        return false;
        return true;
}

/* One character in the form of RFC 3629: shortest form, no surrogates, nothing beyond U+10FFFF. Returns its
 * length in bytes, 0 if there is none. `size` is at least 1. */
static size_t decode(const uint8_t *p, size_t size, uint32_t *ret) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length;
        uint32_t c;

        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }
        if ((p[0] & 0xe0) == 0xc0) {
                length = 2;
                c = p[0] & 0x1f;
        } else if ((p[0] & 0xf0) == 0xe0) {
                length = 3;
                c = p[0] & 0x0f;
        } else if ((p[0] & 0xf8) == 0xf0) {
                length = 4;
                c = p[0] & 0x07;
        } else
                return 0;
        if (size < length)
                return 0;
        for (size_t i = 1; i < length; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return length;
}

bool text_is_utf8(const void *data, size_t size) {
        const uint8_t *p = data;

        while (size > 0) {
                uint32_t c;
                size_t n = decode(p, size, &c);

                if (n == 0)
                        return false;
                p += n;
                size -= n;
        }
        return true;
}

/* What would move a cursor, end a line or turn the reading direction. */
static bool is_blank(uint32_t c) {
        return c <= 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0x061c ||
               c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Valid in UTF-8, but sd-bus refuses a message that holds one, and no reader can show it. */
static bool is_noncharacter(uint32_t c) {
        return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

int text_clean(const void *data, size_t size, size_t max, char **ret) {
        const uint8_t *p = data, *end = p + size;
        size_t used = 0, room_for_ellipsis = 0;
        bool blank = false;
        char *text;

        /* A byte can become three. */
        text = malloc((size <= max / 3 ? 3 * size : max) + 1);
        if (!text)
                return -ENOMEM;
        while (p < end) {
                const char *piece = (const char *) p;
                uint32_t c = 0;
                size_t n = decode(p, (size_t) (end - p), &c);

                p += n ?: 1;
                if (n > 0 && is_blank(c)) {
                        blank = used > 0;
                        continue;
                }
                if (n == 0 || is_noncharacter(c)) {
                        piece = REPLACEMENT;
                        n = sizeof(REPLACEMENT) - 1;
                }
                if (used + blank + n > max) {
                        used = room_for_ellipsis;
                        memcpy(text + used, ELLIPSIS, ELLIPSIS_SIZE);
                        used += ELLIPSIS_SIZE;
                        break;
                }
                if (blank)
                        text[used++] = ' ';
                memcpy(text + used, piece, n);
                used += n;
                blank = false;
                if (used + ELLIPSIS_SIZE <= max)
                        room_for_ellipsis = used;
        }
        text[used] = '\0';
        *ret = text;
        return 0;
}

int text_format_clean(char **ret, size_t max, const char *format, va_list arguments) {
        _cleanup_free_ char *raw = NULL;

        if (vasprintf(&raw, format, arguments) < 0) {
                raw = NULL;
                return -ENOMEM;
        }
        return text_clean(raw, strlen(raw), max, ret);
}

void text_clean_in_place(char *text) {
        uint8_t *p = (uint8_t *) text, *end = p + strlen(text);

        while (p < end) {
                uint32_t c = 0;
                size_t n = decode(p, (size_t) (end - p), &c);
                bool bad = n == 0 || is_noncharacter(c), blank = !bad && is_blank(c);

                for (n = n ?: 1; n > 0; n--, p++)
                        if (bad || blank)
                                *p = bad ? '?' : ' ';
        }
}

int text_clean_lines(const void *data, size_t size, char **ret) {
        const uint8_t *p = data, *end = p + size;
        size_t used = 0;
        char *text;

        if (size > SIZE_MAX / 3 - 1)
                return -ENOMEM;
        text = malloc(3 * size + 1);
        if (!text)
                return -ENOMEM;
        while (p < end) {
                const char *piece = (const char *) p;
                uint32_t c = 0;
                size_t n = decode(p, (size_t) (end - p), &c);

                p += n ?: 1;
                if (n == 0 || is_noncharacter(c)) {
                        piece = REPLACEMENT;
                        n = sizeof(REPLACEMENT) - 1;
                } else if (is_blank(c) && c != ' ' && c != '\n' && c != '\t') {
                        piece = "?";
                        n = 1;
                }
                memcpy(text + used, piece, n);
                used += n;
        }
        text[used] = '\0';
        *ret = text;
        return 0;
}

char **strv_free(char **l) {
        for (char **i = l; i && *i; i++)
                free(*i);
        free(l);
        return NULL;
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        while (l && l[n])
                n++;
        return n;
}

bool strv_contains(char *const *l, const char *s) {
        STRV_FOREACH(i, l)
                if (streq(*i, s))
                        return true;
        return false;
}

const char *strv_common(char *const *a, char *const *b) {
        STRV_FOREACH(s, a)
                if (strv_contains(b, *s))
                        return *s;
        return NULL;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

int strv_consume(char ***l, char *s) {
        size_t n = strv_length(*l);
        char **grown;

        if (!s)
                return -ENOMEM;
        grown = reallocarray(*l, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        grown[n] = s;
        grown[n + 1] = NULL;
        *l = grown;
        return 0;
}

int strv_append(char ***l, const char *s) {
        return strv_consume(l, strdup(s));
}

int strv_copy(char *const *l, char ***ret) {
        _cleanup_strv_ char **copy = calloc(strv_length(l) + 1, sizeof(char *));
        size_t n = 0;

        if (!copy)
                return -ENOMEM;
        STRV_FOREACH(i, l) {
                copy[n] = strdup(*i);
                if (!copy[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

int strv_split_words(const char *s, char ***ret) {
        _cleanup_strv_ char **words = calloc(1, sizeof(char *));

        if (!words)
                return -ENOMEM;
        for (s = strempty(s);;) {
                size_t length;
                int r;

                s += strspn(s, WHITESPACE);
                length = strcspn(s, WHITESPACE);
                if (length == 0)
                        break;
                r = strv_consume(&words, strndup(s, length));
                if (r < 0)
                        return r;
                s += length;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

int strv_join(char *const *l, const char *separator, char **ret) {
        size_t between = strlen(strempty(separator)), size = 1;
        char *text, *end;

        STRV_FOREACH(i, l)
                size += strlen(*i) + between;
        text = malloc(size);
        if (!text)
                return -ENOMEM;
        end = text;
        STRV_FOREACH(i, l) {
                size_t length = strlen(*i);

                if (i != l && between > 0)
                        end = mempcpy(end, separator, between);
                end = mempcpy(end, *i, length);
        }
        *end = '\0';
        *ret = text;
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **l) {
        if (l)
                qsort(l, strv_length(l), sizeof(char *), compare);
}
