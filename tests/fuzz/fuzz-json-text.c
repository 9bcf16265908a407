/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scanner against json-c, whose strict mode is a second opinion: what the scanner takes, json-c
 * takes; what it refuses, json-c refuses, but for what the scanner is there for. Members are JSON by
 * themselves, and spans and gaps together are the whole text. */

#include "fuzz.h"

#include "codec/json.h"

static bool json_c_takes(const char *text, size_t size) {
        struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        enum json_tokener_error e;
        json_object *o;

        fuzz_assert(t);
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(t, text, (int) size);
        e = json_tokener_get_error(t);
        if (e == json_tokener_continue) {
                o = json_tokener_parse_ex(t, "", 1);
                e = json_tokener_get_error(t);
        }
        json_object_put(o);
        json_tokener_free(t);
        return e == json_tokener_success;
}

/* Where json-c is known to be laxer: what the scanner is there for; numbers like "1."; UTF-8 of more
 * bytes than it takes; and words, quotes and ends of its own. */
static bool is_stricter_than_json_c(const char *what, const char *text, size_t size) {
        static const char *const errors[] = {
                "duplicate key",
                "NUL in a string",
                "nested too deeply",
                "surrogate without its pair",
                "control character in a string",
                "wrong number",
                "not UTF-8",
        };
        static const char *const words[] = { "NaN", "Infinity", "'" };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (streq(what, errors[i]))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (memmem(text, size, words[i], strlen(words[i])))
                        return true;
        return memchr(text, '\0', size);
}

static bool is_gap(const char *text, size_t from, size_t to, char separator) {
        for (size_t i = from; i < to; i++)
                if (text[i] != separator && !memchr(WHITESPACE, text[i], 4))
                        return false;
        return true;
}

static void check_members(const char *text, JsonSpan span) {
        JsonMembers m = {};
        size_t at = span.offset + 1;
        int r;

        r = json_text_members(text, span, &m);
        fuzz_assert(r == (text[span.offset] == '{' ? 0 : -ENOTDIR));
        if (r < 0)
                return;
        for (size_t i = 0; i < m.n_items; i++) {
                const JsonMember *member = m.items + i;
                size_t key_end = member->key.offset + member->key.size;
                _cleanup_free_ char *quoted = NULL;

                fuzz_assert(is_gap(text, at, member->key.offset, ','));
                fuzz_assert(is_gap(text, key_end, member->value.offset, ':'));
                fuzz_assert(json_text_check(text + member->value.offset, member->value.size, NULL) == 0);
                fuzz_assert(json_text_quote(member->name, &quoted) == 0);
                fuzz_assert(json_text_check(quoted, strlen(quoted), NULL) == 0);
                check_members(text, member->value);
                at = member->value.offset + member->value.size;
        }
        fuzz_assert(is_gap(text, at, span.offset + span.size - 1, ' '));
        json_members_done(&m);
}

static void check_values(const char *text, size_t size) {
        _cleanup_json_erase_ json_object *o = NULL;
        _cleanup_free_ char *printed = NULL;

        fuzz_assert(json_parse(text, size, &o, NULL) == 0);
        fuzz_assert(json_print(o, /* pretty= */ false, &printed) == 0);
        fuzz_assert(json_text_check(printed, strlen(printed), NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data;
        JsonError error = {};
        int r;

        r = json_text_check(text, size, &error);
        fuzz_assert(r == 0 || r == -EBADMSG);
        if (r < 0) {
                fuzz_assert(error.line >= 1 && error.column >= 1 && error.line + error.column <= size + 2);
                fuzz_assert(is_stricter_than_json_c(error.what, text, size) || !json_c_takes(text, size));
                return 0;
        }
        check_members(text, json_text_root(text, size));
        check_values(text, size);
        return 0;
}
