/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON as text: strict validation and byte spans, for files whose foreign parts must survive to the byte.
 *
 * json-c reads values (codec/json.h) but forgets how they were written, merges duplicate keys silently and
 * cannot tell "\u0000" from the end. This scanner keeps no tree: it says whether a text is strict JSON
 * (RFC 8259, UTF-8, no duplicate keys, no NUL, bounded depth) and where members of an object stand. */

#include "base/macro.h"

#define JSON_DEPTH_MAX 32

typedef struct JsonSpan {
        size_t offset;
        size_t size;
} JsonSpan;

typedef struct JsonMember {
        JsonSpan key; /* with its quotes */
        JsonSpan value;
        char *name; /* the key, unescaped, NUL-terminated UTF-8 */
} JsonMember;

typedef struct JsonMembers {
        JsonMember *items;
        size_t n_items;
        JsonSpan object; /* from '{' to '}' inclusive */
} JsonMembers;

#define JSON_DUPLICATE_KEY "duplicate key"

typedef struct JsonError {
        size_t line;      /* from 1 */
        size_t column;    /* from 1, in bytes */
        const char *what; /* static text: "duplicate key", "not UTF-8", "unexpected end", … */
} JsonError;

/* The error that a reader of an accepted text puts down to the byte at `offset`. */
JsonError json_error_at(const char *text, size_t offset, const char *what);

/* Returns 0 if the whole text (blanks around allowed) is one strict JSON value, -EBADMSG otherwise with
 * *reterr filled, -ENOMEM. An empty text is an error ("empty"). Linear time apart from the duplicate check,
 * which is O(n log n) in the keys of one object. */
int json_text_check(const char *text, size_t size, JsonError *reterr);

/* Lists the members of the object that stands at `object` in a text that json_text_check() accepted.
 * Returns 0, -ENOTDIR if the value there is no object, -ENOMEM. */
int json_text_members(const char *text, JsonSpan object, JsonMembers *ret);
void json_members_done(JsonMembers *m);
const JsonMember *json_members_find(const JsonMembers *m, const char *name);
/* The span of the only value of an accepted text, blanks cut off. */
JsonSpan json_text_root(const char *text, size_t size);

/* `s` as a JSON string with quotes, "/" unescaped. `s` must be UTF-8 (-EINVAL). */
int json_text_quote(const char *s, char **ret);
