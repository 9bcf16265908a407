/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Forms: every byte that could mean something to their readers is written so that it cannot. */

#include "unit.h"

#include "base/text.h"
#include "codec/form.h"

static void assert_form(const FormField *fields, size_t n, const char *expected) {
        _cleanup_secret_ Secret *form = NULL;

        assert_int_equal(form_encode(fields, n, &form), 0);
        assert_int_equal(secret_size(form), strlen(expected));
        assert_string_equal(secret_peek(form).iov_base, expected);
}

static void fields_stand_in_their_order(void **state) {
        const FormField fields[] = {
                { "grant_type", form_text("client_credentials") },
                { "scope", form_text("openid quay") },
                { "audience", form_text(NULL) },
                { "resource", form_text("") },
                { "client_secret", form_text("a&b=c+d%e/ü~") },
        };

        assert_form(fields, ELEMENTSOF(fields),
                    "grant_type=client_credentials&scope=openid%20quay&"
                    "client_secret=a%26b%3Dc%2Bd%25e%2F%C3%BC~");
}

static void no_fields_are_an_empty_form(void **state) {
        const FormField empty = { "scope", form_text(NULL) };

        assert_form(&empty, 1, "");
        assert_form(&empty, 0, "");
}

static void one_value_alone(void **state) {
        _cleanup_secret_ Secret *all = NULL;
        char bytes[256];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char) i;
        assert_int_equal(form_escape((struct iovec){ bytes, sizeof(bytes) }, &all), 0);
        assert_int_equal(secret_size(all), 66 + 3 * (256 - 66));
        assert_true(text_is_token(secret_peek(all).iov_base));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_stand_in_their_order),
                cmocka_unit_test(no_fields_are_an_empty_form),
                cmocka_unit_test(one_value_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
