/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One pass over TOML (toml.io, 1.0) that knows where values begin and end, and reads those that are strings
 * of one line, alone or in an array.
 *
 * Owns the copy of a name and a value at a time. It does not see whether a number is one, or a key stands
 * there twice: the program that the file is for does, and it alone has to like it. */

#include <string.h>

#include "base/text.h"
#include "codec/json-string.h"
#include "codec/toml-string.h"

#define DEPTH_MAX 16
#define BLANKS " \t"
#define BARE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
/* Numbers, dates, true and false. */
#define SCALAR BARE "+.:"
#define HEX "0123456789abcdefABCDEF"

typedef struct Parser {
        const char *s; /* NUL-terminated, no NUL inside */
        size_t line;
        size_t table;
        char *header; /* the name of the table */
        toml_string_t handler;
        void *userdata;
        TomlError *error;
} Parser;

static int fail(const Parser *p, const char *what) {
        *p->error = (TomlError){ p->line, what };
        return -EBADMSG;
}

static void skip_blanks(Parser *p) {
        p->s += strspn(p->s, BLANKS);
}

/* Blanks, comments and ends of lines. */
static void skip_lines(Parser *p) {
        for (;;) {
                skip_blanks(p);
                if (*p->s == '#')
                        p->s += strcspn(p->s, "\n");
                if (*p->s == '\n')
                        p->line++;
                else if (p->s[0] != '\r' || p->s[1] != '\n')
                        return;
                p->s++;
        }
}

static int end_line(Parser *p) {
        skip_blanks(p);
        if (*p->s == '\0' || *p->s == '#' || *p->s == '\n' || (p->s[0] == '\r' && p->s[1] == '\n'))
                return 0;
        return fail(p, "something behind the value");
}

/* The quote that ends a string which begins at `s`, or where its line ends before. */
static const char *string_end(const char *s, char quote) {
        while (*s != quote && *s != '\0' && *s != '\n')
                s += s[0] == '\\' && quote == '"' && s[1] != '\0' && s[1] != '\n' ? 2 : 1;
        return s;
}

/* The escape at `p->s`. What JSON has, TOML has, too. Returns its length, 0 if it is none. */
static size_t read_escape(const Parser *p, const char *end, char ret[static JSON_CHARACTER_MAX],
                          size_t *ret_size) {
        const char *digits = p->s + 2, *what;
        uint32_t c = 0;

        if (p->s[1] != 'U')
                return json_escape_read(p->s, end, ret, ret_size, &what);
        if (end - digits < 8 || strspn(digits, HEX) < 8)
                return 0;
        for (size_t i = 0; i < 8; i++)
                c = c << 4 | (uint32_t) (digits[i] <= '9' ? digits[i] - '0' : (digits[i] & 7) + 9);
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret_size = json_character_encode(c, ret);
        return 10;
}

/* A string of one line, at its first quote. */
static int read_string(Parser *p, char **ret) {
        const char quote = *p->s++, *end = string_end(p->s, quote);
        _cleanup_free_ char *value = malloc((size_t) (end - p->s) + 1);
        char character[JSON_CHARACTER_MAX];
        size_t n = 0, size, n_bytes;

        if (!value)
                return -ENOMEM;
        if (*end != quote)
                return fail(p, "a string without an end");
        while (p->s < end) {
                if (*p->s == '\\' && quote == '"') {
                        size = read_escape(p, end, character, &n_bytes);
                        if (size == 0)
                                return fail(p, "an escape that is not read here");
                        memcpy(value + n, character, n_bytes);
                        n += n_bytes;
                        p->s += size;
                } else
                        value[n++] = *p->s++;
        }
        p->s++;
        value[n] = '\0';
        *ret = TAKE_PTR(value);
        return 0;
}

/* A string of several lines, which is passed over. */
static int skip_long_string(Parser *p) {
        const char quote = *p->s;

        for (p->s += 3; *p->s != '\0'; p->s++) {
                if (*p->s == '\n')
                        p->line++;
                if (*p->s == '\\' && quote == '"' && p->s[1] != '\0' && p->s[1] != '\n') {
                        p->s++;
                        continue;
                }
                if (p->s[0] != quote || p->s[1] != quote || p->s[2] != quote)
                        continue;
                /* Up to two quotes may stand before the three that end it. */
                p->s += 3;
                for (int i = 0; i < 2 && *p->s == quote; i++)
                        p->s++;
                return 0;
        }
        return fail(p, "a string without an end");
}

/* "a.b", "a.'b c'"; ends behind the last part. */
static int read_key(Parser *p, char **ret) {
        _cleanup_free_ char *key = NULL;

        for (;;) {
                _cleanup_free_ char *part = NULL, *longer = NULL;
                size_t n;
                int r;

                skip_blanks(p);
                n = strspn(p->s, BARE);
                if (n > 0) {
                        part = strndup(p->s, n);
                        r = part ? 0 : -ENOMEM;
                        p->s += n;
                } else if (*p->s == '"' || *p->s == '\'')
                        r = read_string(p, &part);
                else
                        r = fail(p, "no key where one should be");
                if (r >= 0)
                        r = text_format(&longer, "%s%s%s", strempty(key), key ? "." : "", part);
                if (r < 0)
                        return r;
                free(key);
                key = TAKE_PTR(longer);
                skip_blanks(p);
                if (*p->s != '.')
                        break;
                p->s++;
        }
        *ret = TAKE_PTR(key);
        return 0;
}

/* A key and its "=". */
static int read_name(Parser *p, char **ret) {
        _cleanup_free_ char *key = NULL;
        int r;

        r = read_key(p, &key);
        if (r < 0)
                return r;
        if (*p->s != '=')
                return fail(p, "no '=' behind a key");
        p->s++;
        *ret = TAKE_PTR(key);
        return 0;
}

/* The end of an array or inline table, or the comma before its next member. Returns 1 at the end. */
static int end_member(Parser *p, char end) {
        skip_lines(p);
        if (*p->s == ',') {
                p->s++;
                skip_lines(p);
        } else if (*p->s != end)
                return fail(p, "neither a comma nor the end of what was begun");
        if (*p->s != end)
                return 0;
        p->s++;
        return 1;
}

/* Below the table that is open. */
static int tell(const Parser *p, TomlKind kind, const char *key, const char *value, size_t line) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = text_format(&name, "%s%s%s", strempty(p->header), p->header ? "." : "", key);
        return r < 0 ? r : p->handler(&(TomlString){ kind, name, value, p->table, line }, p->userdata);
}

static int read_value(Parser *p, unsigned depth, const char *name);

static int read_member(Parser *p, unsigned depth, const char *name) {
        _cleanup_free_ char *key = NULL, *full = NULL;
        int r;

        r = read_name(p, &key);
        if (r >= 0 && name)
                r = text_format(&full, "%s.%s", name, key);
        return r < 0 ? r : read_value(p, depth, full);
}

/* An array, or a table in one line. What stands in it is told of if it has a name. */
static int read_members(Parser *p, unsigned depth, const char *name) {
        const char end = *p->s++ == '[' ? ']' : '}';
        int r = 0;

        if (depth >= DEPTH_MAX)
                return fail(p, "too deep");
        skip_lines(p);
        if (*p->s == end) {
                p->s++;
                return 0;
        }
        while (r == 0) {
                r = end == '}' ? read_member(p, depth + 1, name) : read_value(p, depth + 1, name);
                if (r >= 0)
                        r = end_member(p, end);
        }
        return r < 0 ? r : 0;
}

static bool is_long_string(const char *s) {
        return (s[0] == '"' || s[0] == '\'') && s[1] == s[0] && s[2] == s[0];
}

/* What is no string and nothing that has members. */
static int skip_scalar(Parser *p) {
        size_t n = strspn(p->s, SCALAR);

        if (n == 0)
                return fail(p, "no value where one should be");
        p->s += n;
        /* A date and a time. */
        if (n == 10 && p->s[0] == ' ' && strchr("0123456789", p->s[1]) && p->s[1] != '\0')
                p->s += 1 + strspn(p->s + 1, SCALAR);
        return 0;
}

/* No deeper than DEPTH_MAX. With a name: an element of an array (depth 1), or of a table in one (2). */
static int read_value(Parser *p, unsigned depth, const char *name) {
        _cleanup_free_ char *value = NULL;
        const char *begin;
        int r;

        skip_blanks(p);
        begin = p->s;
        if (*p->s == '[' || *p->s == '{')
                return read_members(p, depth, depth == 1 && *p->s == '{' ? name : NULL);
        if (is_long_string(p->s))
                return skip_long_string(p);
        if (*p->s == '"' || *p->s == '\'') {
                r = read_string(p, &value);
                return r < 0 || !name
                               ? r
                               : tell(p, depth == 1 ? TOML_ELEMENT : TOML_ATTRIBUTE, name, value, p->line);
        }
        r = skip_scalar(p);
        if (r < 0 || !name || depth == 1)
                return r;
        value = strndup(begin, (size_t) (p->s - begin));
        return value ? tell(p, TOML_ATTRIBUTE, name, value, p->line) : -ENOMEM;
}

static int read_header(Parser *p) {
        bool is_array = p->s[1] == '[';
        _cleanup_free_ char *name = NULL;
        int r;

        p->s += is_array ? 2 : 1;
        r = read_key(p, &name);
        if (r < 0)
                return r;
        if (p->s[0] != ']' || (is_array && p->s[1] != ']'))
                return fail(p, "no ']' behind the name of a table");
        p->s += is_array ? 2 : 1;
        free(p->header);
        p->header = TAKE_PTR(name);
        p->table++;
        return end_line(p);
}

static int read_assignment(Parser *p) {
        _cleanup_free_ char *key = NULL, *value = NULL;
        const size_t line = p->line;
        int r;

        r = read_name(p, &key);
        if (r < 0)
                return r;
        skip_blanks(p);
        if (*p->s == '[') {
                r = tell(p, TOML_ARRAY, key, "", line);
                if (r >= 0)
                        r = read_members(p, 0, key);
                return r < 0 ? r : end_line(p);
        }
        if ((*p->s != '"' && *p->s != '\'') || is_long_string(p->s)) {
                r = read_value(p, 0, NULL);
                return r < 0 ? r : end_line(p);
        }
        r = read_string(p, &value);
        if (r >= 0)
                r = end_line(p);
        return r < 0 ? r : tell(p, TOML_STRING, key, value, line);
}

int toml_strings(const char *text, size_t size, toml_string_t handler, void *userdata, TomlError *reterr) {
        Parser p = { .line = 1, .handler = handler, .userdata = userdata, .error = reterr };
        _cleanup_free_ char *copy = NULL;
        int r = 0;

        if (size > 0 && memchr(text, '\0', size))
                return fail(&p, "a NUL byte");
        copy = size > 0 ? strndup(text, size) : strdup("");
        if (!copy)
                return -ENOMEM;
        p.s = copy;
        for (skip_lines(&p); *p.s != '\0' && r >= 0; skip_lines(&p))
                r = *p.s == '[' ? read_header(&p) : read_assignment(&p);
        free(p.header);
        return r < 0 ? r : 0;
}
