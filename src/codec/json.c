/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON as values: json-c for the tree, codec/json-text for the decision whether a text is JSON at all.
 *
 * Owns no state. json-c alone takes the last of two equal keys, takes "\u0000" and escapes slashes when it
 * prints; here such texts are refused, and the flags for printing are pinned, for other programs and our own
 * tests read the bytes. It refuses nothing by size of a number: json-c clamps what does not fit into 64
 * bits. */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"

static json_tokener *tokener_free(json_tokener *t) {
        json_tokener_free(t);
        return NULL;
}
DEFINE_CLEANUP(json_tokener *, tokener_free)

static int refuse(JsonError *reterr, const char *what) {
        if (reterr)
                *reterr = (JsonError){ .line = 1, .column = 1, .what = what };
        return -EBADMSG;
}

int json_parse(const char *text, size_t size, json_object **ret, JsonError *reterr) {
        _cleanup_(tokener_freep) json_tokener *t = NULL;
        json_object *o;
        int r;

        r = json_text_check(text, size, reterr);
        if (r < 0)
                return r;
        if (size > INT_MAX - 1)
                return refuse(reterr, "too long");
        /* json-c counts the scalar inside the innermost container as a level of its own. */
        t = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!t)
                return -ENOMEM;
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(t, text, (int) size);
        /* A number at the top could go on for all that json-c knows; a NUL is the end. */
        if (json_tokener_get_error(t) == json_tokener_continue)
                o = json_tokener_parse_ex(t, "", 1);
        if (json_tokener_get_error(t) != json_tokener_success)
                return refuse(reterr, json_tokener_error_desc(json_tokener_get_error(t)));
        *ret = o;
        return 0;
}

/* No deeper than the tree, which is no deeper than JSON_DEPTH_MAX if json_parse() made it. */
static void erase_strings(json_object *o) {
        if (json_object_is_type(o, json_type_string))
                explicit_bzero((char *) json_object_get_string(o), (size_t) json_object_get_string_len(o));
        else if (json_object_is_type(o, json_type_array))
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        erase_strings(json_object_array_get_idx(o, i));
        else if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, key, value) {
                        (void) key;
                        erase_strings(value);
                }
        }
}

json_object *json_erase(json_object *o) {
        erase_strings(o);
        json_object_put(o);
        return NULL;
}

/* Returns 1 with a value that is of the type, 0, -EBADMSG. */
static int get(json_object *o, const char *key, json_type type, json_object **ret) {
        json_object *value = NULL;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
            !value)
                return 0;
        if (!json_object_is_type(value, type))
                return -EBADMSG;
        *ret = value;
        return 1;
}

int json_get_string(json_object *o, const char *key, const char **ret) {
        json_object *value;
        int r;

        r = get(o, key, json_type_string, &value);
        if (r <= 0)
                return r;
        if (strlen(json_object_get_string(value)) != (size_t) json_object_get_string_len(value))
                return -EBADMSG;
        *ret = json_object_get_string(value);
        return 1;
}

int json_get_u64(json_object *o, const char *key, uint64_t *ret) {
        json_object *value;
        int r;

        r = get(o, key, json_type_int, &value);
        if (r <= 0)
                return r;
        if (json_object_get_int64(value) < 0)
                return -EBADMSG;
        *ret = json_object_get_uint64(value);
        return 1;
}

int json_get_bool(json_object *o, const char *key, bool *ret) {
        json_object *value;
        int r;

        r = get(o, key, json_type_boolean, &value);
        if (r > 0)
                *ret = json_object_get_boolean(value);
        return r;
}

int json_get_object(json_object *o, const char *key, json_object **ret) {
        return get(o, key, json_type_object, ret);
}

int json_get_array(json_object *o, const char *key, json_object **ret) {
        return get(o, key, json_type_array, ret);
}

int json_put(json_object *o, const char *key, json_object *value) {
        if (value && json_object_object_add(o, key, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

int json_append(json_object *array, json_object *value) {
        if (value && json_object_array_add(array, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

int json_print(json_object *o, bool pretty, char **ret) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *text;
        char *copy;

        flags |= pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
        text = json_object_to_json_string_ext(o, flags);
        copy = text ? strdup(text) : NULL;
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
