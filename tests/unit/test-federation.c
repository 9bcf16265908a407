/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Federation entries: what is read comes out as it was, and what is no list of entries is refused. */

#include "federation-fixture.h"

#define TWO                                                             \
        "[{\"issuer\":\"https://a/b\",\"subject\":\"one \\u001b[2J\"}," \
        "{\"issuer\":\"http://c\",\"subject\":\"two\",\"audiences\":[\"x\",\"y\"]}]"

static void what_is_read_comes_out_as_it_was(void **state) {
        _cleanup_(federation_done) Federation f = federation_of(TWO), none = federation_of(" [ ] ");

        assert_int_equal(f.n_items, 2);
        assert_string_equal(f.items[0].subject, "one \x1b[2J");
        assert_null(f.items[0].audiences);
        assert_int_equal(strv_length(f.items[1].audiences), 2);
        assert_federation(&f, TWO);
        assert_int_equal(none.n_items, 0);
        assert_federation(&none, "[]");
}

static void no_audiences_are_any(void **state) {
        _cleanup_(federation_done) Federation f =
                federation_of("[{\"issuer\":\"i\",\"subject\":\"s\",\"audiences\":[]},"
                              "{\"issuer\":\"i\",\"subject\":\"t\",\"audiences\":null}]");

        assert_federation(&f, "[{\"issuer\":\"i\",\"subject\":\"s\"},{\"issuer\":\"i\",\"subject\":\"t\"}]");
}

static void what_is_none_is_refused(void **state) {
        static const char *const texts[] = {
                "",
                "{}",
                "null",
                "[",
                "[] x",
                "[1]",
                "[[]]",
                "[{}]",
                "[{\"issuer\":\"i\"}]",
                "[{\"subject\":\"s\"}]",
                "[{\"issuer\":\"\",\"subject\":\"s\"}]",
                "[{\"issuer\":\"i\",\"subject\":\"\"}]",
                "[{\"issuer\":1,\"subject\":\"s\"}]",
                "[{\"issuer\":\"i\\u0000\",\"subject\":\"s\"}]",
                "[{\"issuer\":\"i\",\"subject\":\"s\",\"audiences\":\"a\"}]",
                "[{\"issuer\":\"i\",\"subject\":\"s\",\"audiences\":[1]}]",
                "[{\"issuer\":\"i\",\"issuer\":\"j\",\"subject\":\"s\"}]",
                "[{\"issuer\":\"i\",\"subject\":\"s\",\"more\":1}]",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Federation f = {};
                const char *why = NULL;

                assert_int_equal(federation_parse(texts[i], strlen(texts[i]), &f, &why), -EBADMSG);
                assert_non_null(why);
                assert_null(f.items);
        }
}

static char *many(unsigned n) {
        static const char entry[] = "{\"issuer\":\"i\",\"subject\":\"s\"},";
        char *text = malloc(n * strlen(entry) + 3), *p = text;

        assert_non_null(text);
        *p++ = '[';
        for (unsigned i = 0; i < n; i++)
                p = stpcpy(p, entry);
        strcpy(p - 1, "]");
        return text;
}

static void there_is_a_bound(void **state) {
        _cleanup_free_ char *full = many(FEDERATION_ENTRIES_MAX), *over = many(FEDERATION_ENTRIES_MAX + 1),
                            *name = NULL, *text = NULL;
        _cleanup_(federation_done) Federation f = federation_of(full);
        const char *why = NULL;

        assert_int_equal(f.n_items, FEDERATION_ENTRIES_MAX);
        assert_int_equal(federation_parse(over, strlen(over), &f, &why), -EBADMSG);
        assert_int_equal(f.n_items, FEDERATION_ENTRIES_MAX);
        name = malloc(FEDERATION_TEXT_MAX + 2);
        assert_non_null(name);
        memset(name, 'x', FEDERATION_TEXT_MAX + 1);
        name[FEDERATION_TEXT_MAX + 1] = '\0';
        assert_int_equal(text_format(&text, "[{\"issuer\":\"i\",\"subject\":\"%s\"}]", name), 0);
        assert_int_equal(federation_parse(text, strlen(text), &f, &why), -EBADMSG);
}

static void order_does_not_matter_and_audiences_may(void **state) {
        _cleanup_(federation_done)
                Federation a = federation_of("[{\"issuer\":\"i\",\"subject\":\"s\",\"audiences\":[\"x\"]},"
                                             "{\"issuer\":\"j\",\"subject\":\"s\"}]"),
                           b = federation_of("[{\"issuer\":\"j\",\"subject\":\"s\"},"
                                             "{\"issuer\":\"i\",\"subject\":\"s\",\"audiences\":[\"x\"]}]"),
                           c = federation_of("[{\"issuer\":\"i\",\"subject\":\"s\"},"
                                             "{\"issuer\":\"j\",\"subject\":\"s\"}]"),
                           d = federation_of("[{\"issuer\":\"i\",\"subject\":\"s\"}]"), none = {};

        assert_true(federation_equal(&a, &b));
        assert_true(federation_names_same(&a, &c));
        assert_false(federation_equal(&a, &c));
        assert_false(federation_names_same(&c, &d));
        assert_false(federation_names_same(&d, &c));
        assert_false(federation_equal(&d, &none));
        assert_true(federation_equal(&none, &none));
        assert_non_null(federation_find(&a, "j", "s"));
        assert_null(federation_find(&a, "j", "S"));
        assert_null(federation_find(&none, "j", "s"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_read_comes_out_as_it_was),
                cmocka_unit_test(no_audiences_are_any),
                cmocka_unit_test(what_is_none_is_refused),
                cmocka_unit_test(there_is_a_bound),
                cmocka_unit_test(order_does_not_matter_and_audiences_may),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
