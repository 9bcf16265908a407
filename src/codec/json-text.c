/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scanner for strict JSON (RFC 8259) that keeps no tree.
 *
 * Owns nothing but the list of keys of the objects that are open while it scans. Never calls itself: what is
 * open stands in an array of JSON_DEPTH_MAX places, so that no text can run the stack out. Beyond the
 * grammar it refuses duplicate keys (readers disagree on which counts), "\u0000" (readers with C strings cut
 * there) and surrogates that stand alone (no UTF-8 can say them). */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/json-string.h"
#include "codec/json-text.h"

typedef struct Scanner {
        const char *at, *end;
        const char *what;          /* of the error at `at` */
        char open[JSON_DEPTH_MAX]; /* '{' or '[' */
        size_t first_key[JSON_DEPTH_MAX];
        unsigned depth;
        JsonString *keys; /* of all open objects, the innermost last */
        size_t n_keys, n_allocated;
} Scanner;

/* --- the check --- */

static int fail(Scanner *s, const char *at, const char *what) {
        s->at = at;
        s->what = what;
        return -EBADMSG;
}

static void skip_blanks(Scanner *s) {
        while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
                s->at++;
}

/* `at` is behind the blanks and wants something to be there. */
static int want(Scanner *s, char c, const char *what) {
        skip_blanks(s);
        if (s->at == s->end)
                return fail(s, s->at, "unexpected end");
        if (*s->at != c)
                return fail(s, s->at, what);
        s->at++;
        return 0;
}

/* Is one of these eight bytes no plain character of a string? Now and then a "yes" is wrong, for a borrow
 * goes from one byte to the next, but no "no" is. */
static bool any_is_special(const char *p) {
        const uint64_t ones = UINT64_MAX / 0xff;
        uint64_t bytes, quote, backslash;

        memcpy(&bytes, p, sizeof(bytes));
        quote = bytes ^ ones * '"';
        backslash = bytes ^ ones * '\\';
        quote = (quote - ones) & ~quote;
        backslash = (backslash - ones) & ~backslash;
        return (bytes | (bytes - ones * 0x20) | quote | backslash) & ones * 0x80;
}

/* Credentials are long and plain, and nearly all of a large file. */
static const char *behind_plain(const char *p, const char *end) {
        while (end - p >= 8 && !any_is_special(p))
                p += 8;
        return p;
}

static int scan_string(Scanner *s, JsonString *ret) {
        const char *start = s->at, *p = start + 1;
        bool escaped = false, ascii = true;
        char out[JSON_CHARACTER_MAX];

        for (;;) {
                const char *what;
                size_t n = 1, size;

                p = behind_plain(p, s->end);
                if (p == s->end)
                        return fail(s, p, "unexpected end");
                if (*p == '"')
                        break;
                if ((uint8_t) *p < 0x20)
                        return fail(s, p, "control character in a string");
                if ((uint8_t) *p >= 0x80)
                        ascii = false;
                if (*p == '\\') {
                        escaped = true;
                        n = json_escape_read(p, s->end, out, &size, &what);
                        if (n == 0)
                                return fail(s, p, what);
                }
                p += n;
        }
        *ret = (JsonString){ start + 1, (size_t) (p - start) - 1, escaped };
        if (!ascii && !text_is_utf8(ret->text, ret->size))
                return fail(s, start, "not UTF-8");
        s->at = p + 1;
        return 0;
}

static size_t skip_digits(Scanner *s) {
        const char *start = s->at;

        while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
                s->at++;
        return (size_t) (s->at - start);
}

static bool skip_one(Scanner *s, const char *of) {
        if (s->at == s->end || *s->at == '\0' || !strchr(of, *s->at))
                return false;
        s->at++;
        return true;
}

static int scan_number(Scanner *s) {
        const char *start = s->at, *digits;
        bool good;

        (void) skip_one(s, "-");
        digits = s->at;
        good = skip_digits(s) > 0 && (*digits != '0' || s->at == digits + 1);
        if (good && skip_one(s, "."))
                good = skip_digits(s) > 0;
        if (good && skip_one(s, "eE")) {
                (void) skip_one(s, "+-");
                good = skip_digits(s) > 0;
        }
        return good ? 0 : fail(s, start, "wrong number");
}

static int scan_scalar(Scanner *s) {
        static const char *const words[] = { "true", "false", "null" };
        JsonString ignored;

        if (*s->at == '"')
                return scan_string(s, &ignored);
        if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
                return scan_number(s);
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                size_t size = strlen(words[i]);

                if ((size_t) (s->end - s->at) >= size && memcmp(s->at, words[i], size) == 0) {
                        s->at += size;
                        return 0;
                }
        }
        return fail(s, s->at, "unexpected character");
}

static int scan_key(Scanner *s) {
        int r;

        if (s->n_keys == s->n_allocated) {
                size_t n = s->n_allocated == 0 ? 16 : 2 * s->n_allocated;
                JsonString *grown = reallocarray(s->keys, n, sizeof(JsonString));

                if (!grown)
                        return -ENOMEM;
                s->keys = grown;
                s->n_allocated = n;
        }
        r = want(s, '"', "a key is expected");
        if (r < 0)
                return r;
        s->at--;
        r = scan_string(s, s->keys + s->n_keys);
        if (r < 0)
                return r;
        s->n_keys++;
        return want(s, ':', "':' is expected");
}

static int compare_keys(const void *x, const void *y) {
        const JsonString *a = x, *b = y;
        int r = json_string_compare(a, b);

        return r != 0 ? r : (a->text > b->text) - (a->text < b->text);
}

/* Closes the innermost object: are its keys all different? */
static int check_keys(Scanner *s) {
        JsonString *keys = s->keys + s->first_key[s->depth - 1];
        size_t n = s->n_keys - s->first_key[s->depth - 1];
        const char *duplicate = NULL;

        s->n_keys -= n;
        if (n < 2)
                return 0;
        qsort(keys, n, sizeof(JsonString), compare_keys);
        for (size_t i = 1; i < n; i++)
                if (json_string_compare(keys + i - 1, keys + i) == 0 &&
                    (!duplicate || keys[i].text < duplicate))
                        duplicate = keys[i].text;
        return duplicate ? fail(s, duplicate - 1, JSON_DUPLICATE_KEY) : 0;
}

/* Enters an object or an array. Returns 1 if a value is to come, 0 if it was empty. */
static int enter(Scanner *s) {
        char open = *s->at;
        int r;

        if (s->depth == JSON_DEPTH_MAX)
                return fail(s, s->at, "nested too deeply");
        s->open[s->depth] = open;
        s->first_key[s->depth++] = s->n_keys;
        s->at++;
        skip_blanks(s);
        if (s->at < s->end && *s->at == (open == '{' ? '}' : ']')) {
                s->at++;
                s->depth--;
                return 0;
        }
        r = open == '{' ? scan_key(s) : 0;
        return r < 0 ? r : 1;
}

/* Behind a value: closes what ends here. Returns 1 if another value is to come, 0 at the very end. */
static int leave(Scanner *s) {
        while (s->depth > 0) {
                bool object = s->open[s->depth - 1] == '{';
                int r;

                skip_blanks(s);
                if (skip_one(s, ",")) {
                        r = object ? scan_key(s) : 0;
                        return r < 0 ? r : 1;
                }
                r = want(s, object ? '}' : ']',
                         object ? "',' or '}' is expected" : "',' or ']' is expected");
                if (r >= 0 && object)
                        r = check_keys(s);
                if (r < 0)
                        return r;
                s->depth--;
        }
        return 0;
}

static int scan(Scanner *s) {
        int more = 1;

        skip_blanks(s);
        if (s->at == s->end)
                return fail(s, s->at, "empty");
        while (more > 0) {
                skip_blanks(s);
                if (s->at == s->end)
                        return fail(s, s->at, "unexpected end");
                if (*s->at == '{' || *s->at == '[')
                        more = enter(s);
                else
                        more = scan_scalar(s);
                if (more == 0)
                        more = leave(s);
        }
        if (more < 0)
                return more;
        skip_blanks(s);
        return s->at == s->end ? 0 : fail(s, s->at, "more text behind the end");
}

JsonError json_error_at(const char *text, size_t offset, const char *what) {
        JsonError error = { .line = 1, .column = 1, .what = what };

        for (size_t i = 0; i < offset; i++)
                if (text[i] == '\n') {
                        error.line++;
                        error.column = 1;
                } else
                        error.column++;
        return error;
}

int json_text_check(const char *text, size_t size, JsonError *reterr) {
        Scanner s = {};
        int r;

        if (size == 0)
                text = "";
        s.at = text;
        s.end = text + size;
        r = scan(&s);
        free(s.keys);
        if (r == -EBADMSG && reterr)
                *reterr = json_error_at(text, (size_t) (s.at - text), s.what);
        return r;
}

/* --- walking through accepted texts --- */

static const char *behind_blanks(const char *p) {
        return p + strspn(p, WHITESPACE);
}

/* `p` at the first quote. */
static const char *behind_string(const char *p) {
        /* What stands behind a backslash ends nothing. */
        for (p++; *(p += strcspn(p, "\"\\")) == '\\'; p += 2)
                ;
        return p + 1;
}

/* The value at `p`, which stands in an object, so that something always follows it. */
static const char *behind_value(const char *p) {
        size_t depth = 0;

        if (!strchr("\"{[", *p))
                return p + strcspn(p, ",}" WHITESPACE);
        do {
                if (*p == '"') {
                        p = behind_string(p);
                        continue;
                }
                if (*p == '{' || *p == '[')
                        depth++;
                if (*p == '}' || *p == ']')
                        depth--;
                p++;
        } while (depth > 0);
        return p;
}

/* Reads the member at *p and goes behind it. */
static int read_member(const char *text, const char **p, JsonMember *ret) {
        const char *key = *p, *key_end = behind_string(key), *value, *end;
        const JsonString name = { .text = key + 1, .size = (size_t) (key_end - key) - 2 };
        int r;

        r = json_string_unescape(&name, &ret->name);
        if (r < 0)
                return r;
        value = behind_blanks(behind_blanks(key_end) + 1);
        end = behind_value(value);
        ret->key = (JsonSpan){ (size_t) (key - text), (size_t) (key_end - key) };
        ret->value = (JsonSpan){ (size_t) (value - text), (size_t) (end - value) };
        *p = behind_blanks(end);
        return 0;
}

int json_text_members(const char *text, JsonSpan object, JsonMembers *ret) {
        JsonMembers m = { .object = object };
        size_t n_allocated = 0;
        const char *p;

        if (object.size == 0 || text[object.offset] != '{')
                return -ENOTDIR;
        p = behind_blanks(text + object.offset + 1);
        while (*p != '}') {
                int r = 0;

                if (m.n_items == n_allocated) {
                        size_t n = n_allocated == 0 ? 8 : 2 * n_allocated;
                        JsonMember *grown = reallocarray(m.items, n, sizeof(*grown));

                        if (!grown)
                                r = -ENOMEM;
                        else {
                                m.items = grown;
                                n_allocated = n;
                        }
                }
                if (r >= 0)
                        r = read_member(text, &p, m.items + m.n_items);
                if (r < 0) {
                        json_members_done(&m);
                        return r;
                }
                m.n_items++;
                if (*p == ',')
                        p = behind_blanks(p + 1);
        }
        *ret = m;
        return 0;
}

void json_members_done(JsonMembers *m) {
        for (size_t i = 0; i < m->n_items; i++)
                free(m->items[i].name);
        free(m->items);
        *m = (JsonMembers){};
}

const JsonMember *json_members_find(const JsonMembers *m, const char *name) {
        for (size_t i = 0; i < m->n_items; i++)
                if (streq(m->items[i].name, name))
                        return m->items + i;
        return NULL;
}

JsonSpan json_text_root(const char *text, size_t size) {
        size_t start = 0;

        while (start < size && text[start] != '\0' && strchr(WHITESPACE, text[start]))
                start++;
        while (size > start && text[size - 1] != '\0' && strchr(WHITESPACE, text[size - 1]))
                size--;
        return (JsonSpan){ start, size - start };
}

int json_text_quote(const char *s, char **ret) {
        static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt", digits[] = "0123456789abcdef";
        size_t size = strlen(s);
        char *quoted, *out;

        if (!text_is_utf8(s, size))
                return -EINVAL;
        quoted = malloc(6 * size + 3);
        if (!quoted)
                return -ENOMEM;
        out = quoted;
        *out++ = '"';
        for (; *s; s++) {
                const char *found = strchr(from, *s);

                if (found) {
                        *out++ = '\\';
                        *out++ = to[found - from];
                } else if ((uint8_t) *s < 0x20) {
                        out = mempcpy(out, "\\u00", 4);
                        *out++ = digits[*s >> 4];
                        *out++ = digits[*s & 15];
                } else
                        *out++ = *s;
        }
        *out++ = '"';
        *out = '\0';
        *ret = quoted;
        return 0;
}
