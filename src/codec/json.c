/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* json-c with the strictness that it lacks: every text goes through json_text_check() first, so that trailing
 * bytes, duplicate keys, NULs and invalid UTF-8 never reach it.
 *
 * Owns the pinned printing flags and the erasing of trees. Getters never convert: a number in a string is no
 * number. */

#include <errno.h>
#include <string.h>

#include "codec/json.h"

static int parse(struct json_tokener *t, const char *text, size_t size, json_object **ret) {
        json_object *o;

        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        /* The length with the NUL behind it, for a number that ends the text is known to end only then. */
        o = json_tokener_parse_ex(t, text, (int) size);
        if (json_tokener_get_error(t) == json_tokener_continue)
                o = json_tokener_parse_ex(t, "", 1);
        if (json_tokener_get_error(t) != json_tokener_success) {
                json_object_put(o);
                return -EBADMSG;
        }
        *ret = o;
        return 0;
}

int json_parse(const char *text, size_t size, json_object **ret, JsonError *reterr) {
        struct json_tokener *t;
        JsonError error = {};
        int r;

        r = json_text_check(text, size, reterr ?: &error);
        if (r < 0)
                return r;
        if (size > INT32_MAX)
                return -EBADMSG;
        t = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!t)
                return -ENOMEM;
        r = parse(t, text, size, ret);
        json_tokener_free(t);
        if (r == -EBADMSG && reterr)
                *reterr = (JsonError){ .line = 1, .column = 1, .what = "not understood" };
        return r;
}

static void erase_strings(json_object *o) {
        if (json_object_is_type(o, json_type_string)) {
                /* json-c has no writable access to a string's storage, but promises that this is it. */
                explicit_bzero((char *) json_object_get_string(o), (size_t) json_object_get_string_len(o));
        } else if (json_object_is_type(o, json_type_array)) {
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        erase_strings(json_object_array_get_idx(o, i));
        } else if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, key, value) {
                        (void) key;
                        erase_strings(value);
                }
        }
}

json_object *json_erase(json_object *o) {
        if (o)
                erase_strings(o);
        return json_unref(o);
}

/* Returns 1 if there is a member that is not null. */
static int get(json_object *o, const char *key, enum json_type type, json_object **ret) {
        json_object *value;

        if (!json_object_object_get_ex(o, key, &value) || !value)
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
        if (r > 0)
                *ret = json_object_get_string(value);
        return r;
}

int json_get_u64(json_object *o, const char *key, uint64_t *ret) {
        json_object *value;
        int r;

        r = get(o, key, json_type_int, &value);
        if (r <= 0)
                return r;
        /* json-c clamps instead of refusing. */
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

int json_print(json_object *o, bool pretty, char **ret) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE | (pretty ? JSON_C_TO_STRING_PRETTY : JSON_C_TO_STRING_PLAIN);
        const char *text;
        char *copy;

        text = json_object_to_json_string_ext(o, flags);
        copy = text ? strdup(text) : NULL;
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
