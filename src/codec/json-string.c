/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Characters of JSON strings: as they are, or as escapes.
 *
 * Owns nothing. Keys are compared here without being unescaped first, so that a check for duplicates copies
 * no key. Finding where a string ends, and whether its plain bytes are UTF-8, is for codec/json-text. */

#include <errno.h>
#include <string.h>

#include "codec/json-string.h"

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* The number behind "\u", or a negative one. */
static int hex4(const char *s, const char *end) {
        int value = 0;

        if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
                return -1;
        for (int i = 2; i < 6; i++) {
                int digit = hex_digit(s[i]);

                if (digit < 0)
                        return -1;
                value = value << 4 | digit;
        }
        return value;
}

static bool is_high_surrogate(int unit) {
        return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit) {
        return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The byte behind a backslash, other than 'u', and what it means. */
static char escaped_byte(char c) {
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        const char *found = c == '\0' ? NULL : strchr(from, c);

        return found ? to[found - from] : '\0';
}

size_t json_character_encode(uint32_t c, char out[static JSON_CHARACTER_MAX]) {
        if (c < 0x80) {
                out[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                out[0] = (char) (0xc0 | c >> 6);
                out[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                out[0] = (char) (0xe0 | c >> 12);
                out[1] = (char) (0x80 | (c >> 6 & 0x3f));
                out[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        out[0] = (char) (0xf0 | c >> 18);
        out[1] = (char) (0x80 | (c >> 12 & 0x3f));
        out[2] = (char) (0x80 | (c >> 6 & 0x3f));
        out[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}

size_t json_escape_read(const char *s, const char *end, char out[static JSON_CHARACTER_MAX],
                        size_t *ret_size, const char **reterr) {
        int unit, low;

        if (end - s >= 2 && escaped_byte(s[1]) != '\0') {
                out[0] = escaped_byte(s[1]);
                *ret_size = 1;
                return 2;
        }
        unit = hex4(s, end);
        *reterr = unit < 0 ? "wrong escape" : "surrogate without its pair";
        if (unit < 0 || is_low_surrogate(unit))
                return 0;
        if (unit == 0) {
                *reterr = "NUL in a string";
                return 0;
        }
        if (!is_high_surrogate(unit)) {
                *ret_size = json_character_encode((uint32_t) unit, out);
                return 6;
        }
        low = hex4(s + 6, end);
        if (!is_low_surrogate(low))
                return 0;
        *ret_size =
                json_character_encode((uint32_t) (0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00))), out);
        return 12;
}

/* Takes one character off the front of an accepted string. Returns how many bytes of `out` it has. */
static size_t next_character(const char **s, const char *end, char out[static JSON_CHARACTER_MAX]) {
        uint8_t lead = (uint8_t) (*s)[0];
        const char *what;
        size_t size = 1;

        if (lead == '\\') {
                *s += json_escape_read(*s, end, out, &size, &what);
                return size;
        }
        if (lead >= 0xc0)
                size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        memcpy(out, *s, size);
        *s += size;
        return size;
}

int json_string_compare(const JsonString *a, const JsonString *b) {
        const char *p = a->text, *q = b->text, *p_end = p + a->size, *q_end = q + b->size;

        if (!a->escaped && !b->escaped) {
                size_t shorter = a->size < b->size ? a->size : b->size;
                int r = memcmp(p, q, shorter);

                return r != 0 ? r : (a->size > b->size) - (a->size < b->size);
        }
        while (p < p_end && q < q_end) {
                char x[JSON_CHARACTER_MAX], y[JSON_CHARACTER_MAX];
                size_t n = next_character(&p, p_end, x), m = next_character(&q, q_end, y);
                int r = memcmp(x, y, n < m ? n : m);

                if (r != 0)
                        return r;
        }
        return (p < p_end) - (q < q_end);
}

int json_string_unescape(const JsonString *s, char **ret) {
        const char *p = s->text, *end = p + s->size;
        /* No escape is shorter than what it means. */
        char *text = malloc(s->size + 1), *out = text;

        if (!text)
                return -ENOMEM;
        while (p < end) {
                const char *escape = memchr(p, '\\', (size_t) (end - p)) ?: end;
                char character[JSON_CHARACTER_MAX];

                out = mempcpy(out, p, (size_t) (escape - p));
                p = escape;
                if (p < end) {
                        size_t n = next_character(&p, end, character);

                        out = mempcpy(out, character, n);
                }
        }
        *out = '\0';
        *ret = text;
        return 0;
}
