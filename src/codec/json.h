/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON as values: json-c behind the strictness of codec/json-text.h, and typed getters. */

#include <json-c/json.h>

#include "base/macro.h"
#include "codec/json-text.h"

static inline json_object *json_unref(json_object *o) {
        json_object_put(o);
        return NULL;
}
DEFINE_CLEANUP(json_object *, json_unref)
#define _cleanup_json_ _cleanup_(json_unrefp)

/* Parses a whole text after json_text_check(). Returns 0, -EBADMSG with *reterr (may be NULL) filled,
 * -ENOMEM. */
int json_parse(const char *text, size_t size, json_object **ret, JsonError *reterr);

/* Like json_unref(), but erases every string of the tree first (json-c itself does not). For trees that
 * held a secret; the tree must have one reference only. */
json_object *json_erase(json_object *o);
DEFINE_CLEANUP(json_object *, json_erase)
#define _cleanup_json_erase_ _cleanup_(json_erasep)

/* Getters of an object's member: 1 found, 0 absent or null, -EBADMSG wrong type or range.
 * Strings point into the object. */
int json_get_string(json_object *o, const char *key, const char **ret);
int json_get_u64(json_object *o, const char *key, uint64_t *ret);
int json_get_bool(json_object *o, const char *key, bool *ret);
int json_get_object(json_object *o, const char *key, json_object **ret);
int json_get_array(json_object *o, const char *key, json_object **ret);

/* Into an object or an array. Consume the value, also on failure; NULL is one that could not be made.
 * Return 0 or -ENOMEM. */
int json_put(json_object *o, const char *key, json_object *value);
int json_append(json_object *array, json_object *value);

/* Prints with the project's pinned flags (plain, NOSLASHESCAPE); pretty adds two-blank indentation.
 * Ends without newline. */
int json_print(json_object *o, bool pretty, char **ret);
