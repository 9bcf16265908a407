/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings of JSON as they are written (RFC 8259 §7): what their escapes mean, character by character. Used
 * by codec/json-text; whoever wants values takes codec/json. */

#include "base/macro.h"

#define JSON_CHARACTER_MAX 4 /* bytes of UTF-8 */

/* A string between its quotes. */
typedef struct JsonString {
        const char *text;
        size_t size;
        bool escaped; /* there is a backslash in it */
} JsonString;

/* In UTF-8; `c` is a character of Unicode. Returns how many bytes there are. */
size_t json_character_encode(uint32_t c, char ret[static JSON_CHARACTER_MAX]);

/* Reads the escape at `s`, which is a backslash. Returns its length in the text; 0 with *reterr, a static
 * text, if it is none, a surrogate without its pair (no UTF-8 can say it), or U+0000 (C strings end). */
size_t json_escape_read(const char *s, const char *end, char ret[static JSON_CHARACTER_MAX],
                        size_t *ret_size, const char **reterr);

/* The next two want strings whose escapes and UTF-8 were checked. */

/* By what the strings mean, however they are written; in the order of their bytes in UTF-8. */
int json_string_compare(const JsonString *a, const JsonString *b);
/* What it means, NUL-terminated. Returns 0 or -ENOMEM. */
int json_string_unescape(const JsonString *s, char **ret);
