/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies an auth.json and leaves the secrets out.
 *
 * Owns the list of what is not secret, which is short: formats of such files grow ("auth", "password",
 * "identitytoken", "registrytoken", "HttpHeaders" …), so what is not known to be harmless is not shown.
 * Refuses what is not strict JSON, for in such a text nobody can say where a value ends. Keeps no tree: the
 * text was checked as a whole, then one pass tells keys from values. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json-string.h"
#include "model/auth-mask.h"

typedef struct Walk {
        const char *at, *end;
        FILE *out;
        unsigned depth;
        unsigned harmless; /* in this member at the top, strings at this depth are no secret; 0: none */
} Walk;

static void copy(Walk *w, size_t size) {
        (void) fwrite(w->at, 1, size, w->out);
        w->at += size;
}

/* Of the string at `at`, with its quotes. */
static size_t string_size(const Walk *w) {
        const char *p = w->at + 1;

        while (*p != '"')
                p += *p == '\\' ? 2 : 1;
        return (size_t) (p - w->at) + 1;
}

static bool is_key(const Walk *w, size_t size) {
        const char *p = w->at + size;

        while (p < w->end && strchr(WHITESPACE, *p))
                p++;
        return p < w->end && *p == ':';
}

/* An URL as key could hold a user and a password. */
static int print_key(Walk *w, const char *name) {
        _cleanup_free_ char *shown = NULL, *quoted = NULL;
        const char *at = strrchr(name, '@');
        int r;

        r = text_format(&shown, "%s%s", at ? AUTH_MASK : "", at ?: name);
        if (r >= 0)
                r = json_text_quote(shown, &quoted);
        if (r >= 0)
                (void) fputs(quoted, w->out);
        return r;
}

static int copy_key(Walk *w, size_t size) {
        JsonString key = { .text = w->at + 1, .size = size - 2 };
        _cleanup_free_ char *name = NULL;
        int r;

        r = json_string_unescape(&key, &name);
        if (r < 0)
                return r;
        if (w->depth == 1)
                w->harmless = streq(name, "credsStore") ? 1 : streq(name, "credHelpers") ? 2 : 0;
        if (!strchr(name, '@')) {
                copy(w, size);
                return 0;
        }
        w->at += size;
        return print_key(w, name);
}

static void hide(Walk *w, size_t size) {
        (void) fputs("\"" AUTH_MASK "\"", w->out);
        w->at += size;
}

static int walk_string(Walk *w) {
        size_t size = string_size(w);

        if (is_key(w, size))
                return copy_key(w, size);
        if (w->harmless > 0 && w->harmless == w->depth)
                copy(w, size);
        else
                hide(w, size);
        return 0;
}

static size_t number_size(const Walk *w) {
        const char *p = w->at;

        while (p < w->end && strchr("+-.0123456789eE", *p))
                p++;
        return (size_t) (p - w->at);
}

static int walk(Walk *w) {
        int r = 0;

        while (r >= 0 && w->at < w->end) {
                char c = *w->at;

                if (c == '{' || c == '[')
                        w->depth++;
                if (c == '}' || c == ']')
                        w->depth--;
                if (c == '"')
                        r = walk_string(w);
                else if (c == '-' || (c >= '0' && c <= '9'))
                        hide(w, number_size(w));
                else
                        copy(w, 1);
        }
        return r;
}

int auth_mask(const char *text, size_t size, char **ret, JsonError *reterr) {
        _cleanup_free_ char *masked = NULL;
        Walk w = { .at = text, .end = text + size };
        size_t n;
        int r;

        if (json_text_root(text, size).size > 0) {
                r = json_text_check(text, size, reterr);
                if (r < 0)
                        return r;
        } else
                w.end = text;
        w.out = open_memstream(&masked, &n);
        if (!w.out)
                return -ENOMEM;
        r = walk(&w);
        if (fclose(w.out) != 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(masked);
        return 0;
}
