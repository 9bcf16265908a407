/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Masking any file. What comes out is JSON of the same shape, says no value but the mask and the harmless
 * ones, and is not changed by masking it once more. */

#include "fuzz.h"

#include "codec/json.h"
#include "model/auth-mask.h"

/* Every value below, by json-c's reading of the text. `shown`: so many levels down there are names. */
static void check_value(json_object *o, int shown) {
        switch (json_object_get_type(o)) {
        case json_type_string:
                fuzz_assert(shown == 0 || streq(json_object_get_string(o), AUTH_MASK));
                break;
        case json_type_object: {
                json_object_object_foreach(o, key, value) {
                        fuzz_assert(key);
                        check_value(value, shown - 1);
                }
                break;
        }
        case json_type_array:
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        check_value(json_object_array_get_idx(o, i), shown - 1);
                break;
        case json_type_null:
        case json_type_boolean:
                break;
        case json_type_double:
        case json_type_int:
        default:
                fuzz_assert(false); /* a number was shown */
        }
}

static void check_top(json_object *o) {
        if (!json_object_is_type(o, json_type_object)) {
                check_value(o, -1);
                return;
        }
        json_object_object_foreach(o, key, value) check_value(value, streq(key, "credsStore")    ? 0
                                                                     : streq(key, "credHelpers") ? 1
                                                                                                 : -1);
}

static size_t count(const char *text, size_t size, char c) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += text[i] == c;
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *masked = NULL, *again = NULL;
        _cleanup_json_ json_object *o = NULL;
        const char *text = (const char *) data;
        JsonError error = {};
        int r;

        r = auth_mask(text, size, &masked, &error);
        if (r == -EBADMSG) {
                fuzz_assert(!masked && error.what && error.line >= 1);
                return 0;
        }
        fuzz_assert(r == 0);
        if (json_text_root(text, size).size == 0) {
                fuzz_assert(isempty(masked));
                return 0;
        }
        fuzz_assert(count(text, size, '\n') == count(masked, strlen(masked), '\n'));
        r = json_parse(masked, strlen(masked), &o, &error);
        /* Two users at one host become one key. */
        fuzz_assert(r == 0 || (streq(error.what, "duplicate key") && strstr(masked, AUTH_MASK "@")));
        if (r < 0)
                return 0;
        check_top(o);
        fuzz_assert(auth_mask(masked, strlen(masked), &again, &error) == 0 && streq(masked, again));
        return 0;
}
