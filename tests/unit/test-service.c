/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The status line that `systemctl status` shows. */

#include "unit.h"

#include "daemon/service.h"

static void check(const ManagerCounts *counts, const char *expected) {
        _cleanup_free_ char *text = NULL;

        assert_ok(service_status_text(counts, &text));
        assert_string_equal(text, expected);
}

static void the_status_line_counts_jobs_by_state(void **state) {
        check(&(ManagerCounts){}, "No jobs, see pullauth.job(5)");
        check(&(ManagerCounts){ .all = 1, .n[JOB_FRESH] = 1 }, "1 job: 1 fresh");
        check(&(ManagerCounts){ .all = 5, .n[JOB_FRESH] = 3, .n[JOB_RETRYING] = 1, .n[JOB_FAILED] = 1 },
              "5 jobs: 3 fresh, 1 retrying, 1 failed");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_status_line_counts_jobs_by_state),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
