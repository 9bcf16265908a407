/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a worker without libyaml says of a kubeconfig. */

#include "unit.h"

#include "worker/kubeconfig.h"

static void every_file_is_refused_and_what_to_do_is_said(void **state) {
        static const char *const texts[] = { "", "apiVersion: v1\nkind: Config\n" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_secret_ Secret *text = NULL;
                _cleanup_failure_ Failure *f = NULL;
                Kubeconfig k = {};

                assert_ok(secret_new_string(texts[i], &text));
                assert_int_equal(kubeconfig_read(text, NULL, &k, &f), 1);
                assert_int_equal(f->step, STEP_IDENTITY);
                assert_int_equal(f->reason, REASON_IDENTITY_FILE_UNREADABLE);
                assert_non_null(strstr(f->message, "built without libyaml"));
                assert_non_null(strstr(failure_hint(f), "Server="));
                kubeconfig_done(&k);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_file_is_refused_and_what_to_do_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
