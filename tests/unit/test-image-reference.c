/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people call an image → the repository that a credential is looked up for, and which scopes cover
 * it. */

#include "unit.h"

#include "base/text.h"
#include "model/image-reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void references_are_completed_and_stripped(void **state) {
        static const struct {
                const char *image;
                const char *repository;
        } rows[] = {
                { "quay.io/acme/app", "quay.io/acme/app" },
                { "quay.io/acme/app:latest", "quay.io/acme/app" },
                { "quay.io/acme/app:v1.2-rc_3", "quay.io/acme/app" },
                { "quay.io/acme/app@sha256:" HEX, "quay.io/acme/app" },
                { "quay.io/acme/app:v1@sha512:" HEX HEX, "quay.io/acme/app" },
                { "docker://quay.io/acme/app:v1", "quay.io/acme/app" },
                { "quay.example.com:8443/a/b/c/d:1", "quay.example.com:8443/a/b/c/d" },
                { "[fe80::1]:5000/a/b:1", "[fe80::1]:5000/a/b" },
                { "localhost/app", "localhost/app" },
                { "localhost:5000/app:1", "localhost:5000/app" },
                { "registry:5000/app", "registry:5000/app" },
                { "busybox", "docker.io/library/busybox" },
                { "busybox:1.36", "docker.io/library/busybox" },
                { "localhost:5000", "docker.io/library/localhost" },
                { "acme/app", "docker.io/acme/app" },
                { "acme/team/app", "docker.io/acme/team/app" },
                { "docker.io/busybox", "docker.io/library/busybox" },
                { "docker.io/acme/app", "docker.io/acme/app" },
                { "index.docker.io/busybox", "docker.io/library/busybox" },
                { "quay.io/busybox", "quay.io/busybox" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *repository = NULL;

                if (image_repository(rows[i].image, &repository) < 0)
                        fail_msg("'%s' should be an image", rows[i].image);
                assert_string_equal(repository, rows[i].repository);
        }
}

static void what_is_no_reference_is_refused(void **state) {
        static const char *const bad[] = {
                "",
                "/",
                ":",
                "@",
                "quay.io/",
                "/acme/app",
                "quay.io//app",
                "quay.io/acme/",
                "quay.io/acme/app:",
                "quay.io/acme/app@",
                "quay.io/acme/app:.tag",
                "quay.io/acme/app:-tag",
                "quay.io/acme/app:a:b",
                "quay.io/acme/app@sha256:123",
                "quay.io/acme/app@sha256",
                "quay.io/acme/app@:" HEX,
                "quay.io/acme/app@sha256:" HEX "x",
                "quay.io/acme/app@sha256:" HEX "@sha256:" HEX,
                "quay.io/acme/app@sha..256:" HEX,
                "quay.io/acme/app@256:" HEX,
                "quay.io/Acme/app",
                "Quay.io/acme/app",
                "Acme/app",
                "quay.io/acme/app v1",
                "quay.io/acme/app\n",
                "quay.io/../app",
                "quay.io/acme/./app",
                "quay.io:0/acme/app",
                "quay.io:99999/acme/app",
                "user@quay.io/acme/app",
                "https://quay.io/acme/app",
                "oci:/tmp/image",
                "quay.io/acme/\xc3\xa9",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *repository = NULL;

                if (image_repository(bad[i], &repository) != -EINVAL)
                        fail_msg("'%s' should be no image", bad[i]);
                assert_null(repository);
        }
}

static void long_ones_are_refused(void **state) {
        char image[IMAGE_REFERENCE_MAX + 2] = "quay.io/a:";
        _cleanup_free_ char *repository = NULL;
        size_t n = strlen(image);

        memset(image + n, 't', 128);
        assert_ok(image_repository(image, &repository));
        image[n + 128] = 't';
        assert_int_equal(image_repository(image, &repository), -EINVAL);
        /* The namespace that is added counts as well. */
        memset(image, 'a', 250);
        image[250] = '\0';
        assert_int_equal(image_repository(image, &repository), -EINVAL);
        memset(image, 't', sizeof(image) - 1);
        assert_int_equal(image_repository(image, &repository), -EINVAL);
}

static void scopes_cover_whole_components(void **state) {
        static const struct {
                const char *scope;
                const char *repository;
                bool covers;
        } rows[] = {
                { "quay.io", "quay.io/acme/app", true },
                { "quay.io/acme", "quay.io/acme/app", true },
                { "quay.io/acme/app", "quay.io/acme/app", true },
                { "quay.io/acme/app/x", "quay.io/acme/app", false },
                { "quay.io/acme", "quay.io/acmeorg/app", false },
                { "quay.io/acme/ap", "quay.io/acme/app", false },
                { "quay.io", "quay.io:8443/acme/app", false },
                { "quay.i", "quay.io/acme", false },
                { "quay.example.com", "quay.io/acme", false },
                { "", "quay.io/acme", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (scope_covers(rows[i].scope, rows[i].repository) != rows[i].covers)
                        fail_msg("'%s' and '%s'", rows[i].scope, rows[i].repository);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(references_are_completed_and_stripped),
                cmocka_unit_test(what_is_no_reference_is_refused),
                cmocka_unit_test(long_ones_are_refused),
                cmocka_unit_test(scopes_cover_whole_components),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
