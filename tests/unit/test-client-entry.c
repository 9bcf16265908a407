/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* User name and secret come out of an auth.json as they went in, or not at all. */

#include "client/entry.h"
#include "unit.h"

static int read_text(const char *text, const char *key, Entry *ret) {
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(secret_new_string(text, &s), 0);
        return entry_read(s, key, ret);
}

static void an_entry_is_taken_apart_at_the_first_colon(void **state) {
        _cleanup_(entry_done) Entry e = {};

        assert_int_equal(read_text("{\"auths\":{\"quay.io\":{\"auth\":\"eA==\"},"
                                   "\"quay.io/acme\":{\"auth\":\"YWNtZStlZGdlOnM6M2NyZXQ=\"}}}",
                                   "quay.io/acme", &e),
                         0);
        assert_string_equal(e.user, "acme+edge");
        assert_string_equal(secret_peek(e.secret).iov_base, "s:3cret");
}

static void only_the_key_that_is_asked_for_counts(void **state) {
        Entry e = {};

        assert_int_equal(read_text("{\"auths\":{\"quay.io\":{\"auth\":\"dTpw\"}}}", "quay.io/acme", &e),
                         -EBADMSG);
        assert_null(e.user);
}

static void what_is_no_entry_is_refused(void **state) {
        static const char *const texts[] = {
                "",
                "{",
                "[]",
                "{}",
                "{\"auths\":[]}",
                "{\"auths\":{}}",
                "{\"auths\":{\"a\":{}}}",
                "{\"auths\":{\"a\":\"dTpw\"}}",
                "{\"auths\":{\"a\":{\"auth\":7}}}",
                "{\"auths\":{\"a\":{\"auth\":\"\"}}}",
                "{\"auths\":{\"a\":{\"auth\":\"dTpw=\"}}}",
                "{\"auths\":{\"a\":{\"auth\":\"dXA=\"}}}",     /* up */
                "{\"auths\":{\"a\":{\"auth\":\"OnA=\"}}}",     /* :p */
                "{\"auths\":{\"a\":{\"auth\":\"dTo=\"}}}",     /* u: */
                "{\"auths\":{\"a\":{\"auth\":\"dTpwAHA=\"}}}", /* u:p NUL p */
                "{\"auths\":{\"a\":{\"auth\":\"dTpw\"}}}}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Entry e = {};

                assert_int_equal(read_text(texts[i], "a", &e), -EBADMSG);
                assert_null(e.user);
                assert_null(e.secret);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_entry_is_taken_apart_at_the_first_colon),
                cmocka_unit_test(only_the_key_that_is_asked_for_counts),
                cmocka_unit_test(what_is_no_entry_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
