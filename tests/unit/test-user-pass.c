/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "user:secret" and its halves. */

#include "unit.h"

#include "model/user-pass.h"

static Secret *make(const char *text) {
        Secret *s;

        assert_int_equal(secret_new_string(text, &s), 0);
        return s;
}

static void assert_halves(const char *text, const char *user, const char *secret) {
        _cleanup_secret_ Secret *s = make(text);
        struct iovec its, rest;

        assert_true(user_pass_split(s, &its, &rest));
        assert_int_equal(its.iov_len, strlen(user));
        assert_memory_equal(its.iov_base, user, strlen(user));
        assert_int_equal(rest.iov_len, strlen(secret));
        assert_memory_equal(rest.iov_base, secret, strlen(secret));
}

static void the_first_colon_parts_them(void **state) {
        assert_halves("acme+edge:s3cr3t", "acme+edge", "s3cr3t");
        assert_halves("acme+edge:s3:cr3t:", "acme+edge", "s3:cr3t:");
        assert_halves(":x", "", "x");
        assert_halves("x:", "x", "");
        assert_halves(":", "", "");
}

static void without_a_colon_it_is_none(void **state) {
        _cleanup_secret_ Secret *word = make("acme+edge"), *empty = make("");
        struct iovec its, rest;

        assert_false(user_pass_split(word, &its, &rest));
        assert_false(user_pass_split(empty, &its, &rest));
        assert_false(user_pass_split(NULL, &its, &rest));
        assert_false(user_pass_is_of(word, "acme+edge"));
        assert_false(user_pass_is_of(NULL, ""));
}

static void it_is_of_the_whole_user_alone(void **state) {
        _cleanup_secret_ Secret *s = make("acme+edge:acme+edge1:x");

        assert_true(user_pass_is_of(s, "acme+edge"));
        assert_false(user_pass_is_of(s, "acme+edg"));
        assert_false(user_pass_is_of(s, "acme+edge:acme+edge1"));
        assert_false(user_pass_is_of(s, "Acme+edge"));
        assert_false(user_pass_is_of(s, ""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_colon_parts_them),
                cmocka_unit_test(without_a_colon_it_is_none),
                cmocka_unit_test(it_is_of_the_whole_user_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
