/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What programs print, and the token in it. */

#include "unit.h"

#include "worker/token-document.h"

static int read_text(const char *text, Secret **ret) {
        Secret *s;

        assert_int_equal(secret_new_string(text, &s), 0);
        return token_document_read(s, ret);
}

static void assert_token(const char *text, const char *token) {
        _cleanup_secret_ Secret *got = NULL, *wanted = NULL;

        assert_int_equal(read_text(text, &got), 0);
        assert_int_equal(secret_new_string(token, &wanted), 0);
        assert_true(secret_equal(got, wanted));
}

static void the_token_is_found_wherever_it_stands(void **state) {
        assert_token("a.b.c", "a.b.c");
        assert_token("\n a.b.c\r\n", "a.b.c");
        assert_token("", "");
        assert_token("{\"token\":\"a.b.c\"}\n", "a.b.c");
        assert_token("{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"a.b.c\"}}", "a.b.c");
        assert_token("{\"WebIdentityToken\":\"a.b.c\",\"Expiration\":\"2026-11-24T00:00:00Z\"}", "a.b.c");
        assert_token("{\"access_token\":\"x\",\"id_token\":\"a.b.c\"}", "a.b.c");
        assert_token("{\"access_token\":\"a.b.c\",\"expires_in\":3600}", "a.b.c");
        assert_token("{\"accessToken\":\"a.b.c\"}", "a.b.c");
        assert_token("{\"status\":{\"token\":\"x\"},\"token\":\"a.b.c\"}", "a.b.c");
        assert_token("{\"token\":null,\"status\":\"ok\",\"id_token\":\"a.b.c\"}", "a.b.c");
}

static void documents_without_a_token_are_told_from_broken_ones(void **state) {
        Secret *got = NULL;

        assert_int_equal(read_text("{}", &got), -ENOENT);
        assert_int_equal(read_text("{\"error\":\"no\"}", &got), -ENOENT);
        assert_int_equal(read_text("{\"token\":5}", &got), -ENOENT);
        assert_int_equal(read_text("{\"token\":\"a.b", &got), -EBADMSG);
        assert_int_equal(read_text("{\"token\":\"a\"}{}", &got), -EBADMSG);
        assert_int_equal(read_text("{\"token\":\"a\",\"token\":\"b\"}", &got), -EBADMSG);
        assert_null(got);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_token_is_found_wherever_it_stands),
                cmocka_unit_test(documents_without_a_token_are_told_from_broken_ones),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
