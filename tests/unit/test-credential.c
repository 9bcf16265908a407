/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Credentials: their end on the boot clock, and what tools read. */

#include "unit.h"

#include "base/text.h"
#include "model/credential.h"

static Credential *make(const char *user, const char *secret, int64_t issued, int64_t expires,
                        usec_t obtained) {
        Credential *c = calloc(1, sizeof(*c));

        assert_non_null(c);
        c->user = strdup(user);
        assert_int_equal(secret_new_string(secret, &c->secret), 0);
        c->issued = issued;
        c->expires = expires;
        c->obtained_boot = obtained;
        return c;
}

static void it_lives_from_before_the_request_as_long_as_the_token_says(void **state) {
        _cleanup_credential_ Credential *c = make("acme+edge", "x", 1000, 4600, 5 * USEC_PER_SEC);

        assert_int_equal(credential_lifetime(c), USEC_PER_HOUR);
        assert_int_equal(credential_expires_boot(c), 5 * USEC_PER_SEC + USEC_PER_HOUR);
}

static void an_end_beyond_all_time_does_not_wrap(void **state) {
        _cleanup_credential_ Credential *c = make("acme+edge", "x", 0, INT64_C(1) << 40, UINT64_MAX - 5);

        assert_int_equal(credential_expires_boot(c), USEC_INFINITY);
}

static void user_pass_is_both_with_a_colon(void **state) {
        _cleanup_credential_ Credential *c = make("acme+edge", "s3:cr3t", 0, 1, 0);
        _cleanup_secret_ Secret *user_pass = NULL;

        assert_int_equal(credential_user_pass(c, &user_pass), 0);
        assert_string_equal(secret_peek(user_pass).iov_base, "acme+edge:s3:cr3t");
}

static void nothing_is_freed_as_nothing(void **state) {
        assert_null(credential_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_lives_from_before_the_request_as_long_as_the_token_says),
                cmocka_unit_test(an_end_beyond_all_time_does_not_wrap),
                cmocka_unit_test(user_pass_is_both_with_a_colon),
                cmocka_unit_test(nothing_is_freed_as_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
