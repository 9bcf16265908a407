/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tools call a registry comes down to its host, or to an image of it. */

#include "base/text.h"
#include "helper/server.h"
#include "unit.h"

static int read_text(const char *text, size_t size, Server *ret) {
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(secret_new(text, size, &s), 0);
        return server_read(s, ret);
}

static void check(const char *text, const char *given, const char *registry, const char *image) {
        _cleanup_(server_done) Server s = {};

        assert_int_equal(read_text(text, strlen(text), &s), 0);
        assert_string_equal(s.given, given);
        assert_string_equal(s.registry, registry);
        assert_true(streq_ptr(s.image, image));
}

static void a_host_is_a_host_however_it_is_written(void **state) {
        check("quay.io", "quay.io", "quay.io", NULL);
        check(" quay.io:8443\r\n", "quay.io:8443", "quay.io:8443", NULL);
        check("https://quay.io", "https://quay.io", "quay.io", NULL);
        check("https://quay.io/", "https://quay.io/", "quay.io", NULL);
        check("http://quay.io:80/v1/\n", "http://quay.io:80/v1/", "quay.io:80", NULL);
        check("https://quay.io/v2", "https://quay.io/v2", "quay.io", NULL);
        check("https://quay.io?x=/y", "https://quay.io?x=/y", "quay.io", NULL);
        check("[fd00::1]:5000", "[fd00::1]:5000", "[fd00::1]:5000", NULL);
}

static void a_path_is_an_image(void **state) {
        check("quay.io/acme/app", "quay.io/acme/app", "quay.io", "quay.io/acme/app");
        check("https://quay.io/acme/?x#y", "https://quay.io/acme/?x#y", "quay.io", "quay.io/acme");
        check("quay.io//acme", "quay.io//acme", "quay.io", "quay.io/acme");
        check("quay.io/v2/acme", "quay.io/v2/acme", "quay.io", "quay.io/v2/acme");
}

static void nothing_is_told_from_nonsense(void **state) {
        static const struct {
                const char *text;
                size_t size;
                int error;
        } wrong[] = {
                { "", 0, -ENODATA },          { " \t\r\n", 4, -ENODATA },
                { "quay.io\0x", 9, -EINVAL }, { "quay.io x", 9, -EINVAL },
                { "quay.io\nx", 9, -EINVAL }, { "quay\033[1m", 8, -EINVAL },
                { "\xff", 1, -EINVAL },       { "qu\xc3\xa4y.io", 8, -EINVAL },
                { "https://", 8, -EINVAL },   { "/acme", 5, -EINVAL },
                { "?x", 2, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                Server s = {};

                assert_int_equal(read_text(wrong[i].text, wrong[i].size, &s), wrong[i].error);
                assert_null(s.given);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_host_is_a_host_however_it_is_written),
                cmocka_unit_test(a_path_is_an_image),
                cmocka_unit_test(nothing_is_told_from_nonsense),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
