/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Golden bytes of the answers that tools parse. */

#include "helper/answer.h"
#include "unit.h"

static void a_credential_has_the_members_of_the_protocol(void **state) {
        _cleanup_(entry_done) Entry e = { .user = strdup("acme+edge") };
        _cleanup_secret_ Secret *text = NULL;

        assert_int_equal(secret_new_string("s/3\"cret", &e.secret), 0);
        assert_int_equal(answer_credential("https://quay.io", &e, &text), 0);
        assert_string_equal(secret_peek(text).iov_base, "{\"ServerURL\":\"https://quay.io\",\"Username\":"
                                                        "\"acme+edge\",\"Secret\":\"s/3\\\"cret\"}\n");
}

static void a_list_goes_from_registry_to_user(void **state) {
        ServedRegistry rows[] = {
                { .registry = (char *) "a.example.com", .job = (char *) "a", .user = (char *) "acme+a" },
                { .registry = (char *) "b.example.com:8443",
                  .job = (char *) "b",
                  .user = (char *) "acme+b" },
        };
        _cleanup_secret_ Secret *text = NULL, *none = NULL;

        assert_int_equal(answer_list(&(ServedRegistries){ rows, ELEMENTSOF(rows) }, &text), 0);
        assert_string_equal(secret_peek(text).iov_base,
                            "{\"a.example.com\":\"acme+a\",\"b.example.com:8443\":\"acme+b\"}\n");
        assert_int_equal(answer_list(&(ServedRegistries){}, &none), 0);
        assert_string_equal(secret_peek(none).iov_base, "{}\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_credential_has_the_members_of_the_protocol),
                cmocka_unit_test(a_list_goes_from_registry_to_user),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
