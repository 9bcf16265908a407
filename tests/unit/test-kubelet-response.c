/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Golden bytes of what kubelet decodes, and how long it may keep them. */

#include "kubelet/response.h"
#include "unit.h"

#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)
#define BEGIN                                                                                               \
        "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\"," \
        "\"cacheKeyType\":\"Image\","

static void a_credential_stands_under_its_scope(void **state) {
        _cleanup_(entry_done) Entry e = { .user = strdup("acme+edge") };
        _cleanup_secret_ Secret *text = NULL;

        assert_int_equal(secret_new_string("s3cret", &e.secret), 0);
        assert_int_equal(kubelet_response_write("quay.io/acme", &e, 3299 * USEC_PER_SEC + 999999, &text), 0);
        assert_string_equal(secret_peek(text).iov_base,
                            BEGIN "\"cacheDuration\":\"3299s\",\"auth\":{\"quay.io/acme\":{\"username\":"
                                  "\"acme+edge\",\"password\":\"s3cret\"}}}\n");
}

static void without_a_credential_nothing_is_kept(void **state) {
        _cleanup_secret_ Secret *text = NULL;

        assert_int_equal(kubelet_response_write(NULL, NULL, 100 * USEC_PER_SEC, &text), 0);
        assert_string_equal(secret_peek(text).iov_base, BEGIN "\"cacheDuration\":\"0s\"}\n");
}

static void kubelet_keeps_it_until_a_while_before_its_end(void **state) {
        assert_int_equal(kubelet_cache_span(NOW + 60 * USEC_PER_MINUTE, NOW), 55 * USEC_PER_MINUTE);
        assert_int_equal(kubelet_cache_span(NOW + 5 * USEC_PER_MINUTE + 1, NOW), 1);
        assert_int_equal(kubelet_cache_span(NOW + 5 * USEC_PER_MINUTE, NOW), 0);
        assert_int_equal(kubelet_cache_span(NOW + 1, NOW), 0);
        assert_int_equal(kubelet_cache_span(NOW, NOW), 0);
        assert_int_equal(kubelet_cache_span(NOW - USEC_PER_HOUR, NOW), 0);
        assert_int_equal(kubelet_cache_span(0, NOW), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_credential_stands_under_its_scope),
                cmocka_unit_test(without_a_credential_nothing_is_kept),
                cmocka_unit_test(kubelet_keeps_it_until_a_while_before_its_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
