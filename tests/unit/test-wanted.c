/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who wants which key of a target: jobs without bus, worker or timers. */

#include "unit.h"

#include "base/text.h"
#include "daemon/wanted.h"

static Job *make_job(const char *name, const char *scope, const char *target, bool valid, bool broken) {
        Job *j = calloc(1, sizeof(*j));

        assert_non_null(j);
        j->config = calloc(1, sizeof(*j->config));
        j->name = j->config->name = strdup(name);
        j->config->robot = strdup("acme+x");
        assert_ok(strv_append(&j->config->scopes, scope));
        assert_ok(strv_append(&j->config->targets, target));
        j->credential = calloc(1, sizeof(*j->credential));
        j->expires_boot = valid ? USEC_INFINITY : 1;
        assert_ok(secret_new_string(name, &j->user_pass));
        if (broken)
                assert_ok(failure_new(&j->configuration_failure, STEP_CONFIGURATION, REASON_SCOPE_CONFLICT,
                                      "x"));
        return j;
}

static void check(Job **jobs, size_t n_jobs, const char *const *expected) {
        const TargetConfig target = { .name = (char *) "t" };
        _cleanup_free_ Wanted *wanted = NULL;
        size_t n;

        assert_ok(wanted_collect(jobs, n_jobs, &target, &wanted, &n));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *found = NULL;

                assert_non_null(expected[i]);
                assert_ok(text_format(&found, "%s=%s", wanted[i].key, wanted[i].job));
                assert_string_equal(found, expected[i]);
        }
        assert_null(expected[n]);
        for (size_t i = 0; i < n_jobs; i++)
                job_free(jobs[i]);
}

static void valid_credentials_alone_are_wanted(void **state) {
        Job *jobs[] = { make_job("a", "k1", "t", true, false), make_job("b", "k2", "t", false, false),
                        make_job("c", "k3", "other", true, false) };

        check(jobs, ELEMENTSOF(jobs), (const char *const[]){ "k1=a", NULL });
}

static void a_job_with_good_files_wins_over_one_that_broke(void **state) {
        Job *jobs[] = { make_job("a", "k", "t", true, true), make_job("b", "k", "t", true, false),
                        make_job("c", "l", "t", true, true) };

        check(jobs, ELEMENTSOF(jobs), (const char *const[]){ "k=b", "l=c", NULL });
}

static void three_claims_to_one_key_are_one(void **state) {
        Job *jobs[] = { make_job("a", "k", "t", true, true), make_job("b", "k", "t", true, true),
                        make_job("c", "k", "t", true, true) };

        check(jobs, ELEMENTSOF(jobs), (const char *const[]){ "k=a", NULL });
}

/* Of a job without a credential, in places that cannot be read back, to its end or beyond. */
static void what_was_left_is_wanted_where_it_cannot_be_read(void **state) {
        ClusterConfig cluster = {};
        const struct {
                TargetConfig target;
                usec_t left;
                OnExpiry on_expiry;
                bool wanted;
        } rows[] = {
                { { .name = (char *) "t", .cluster = &cluster }, USEC_INFINITY, ON_EXPIRY_WITHDRAW, true },
                { { .name = (char *) "t", .template = (char *) "x" },
                  USEC_INFINITY,
                  ON_EXPIRY_WITHDRAW,
                  true },
                { { .name = (char *) "t" }, USEC_INFINITY, ON_EXPIRY_WITHDRAW, false },
                { { .name = (char *) "u", .cluster = &cluster }, USEC_INFINITY, ON_EXPIRY_WITHDRAW, false },
                { { .name = (char *) "t", .cluster = &cluster }, 1, ON_EXPIRY_WITHDRAW, false },
                { { .name = (char *) "t", .cluster = &cluster }, 1, ON_EXPIRY_RETAIN, true },
                { { .name = (char *) "t", .cluster = &cluster }, 0, ON_EXPIRY_RETAIN, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(job_freep) Job *j = make_job("a", "k", "t", true, false);
                _cleanup_free_ Wanted *wanted = NULL;
                size_t n;

                j->credential = credential_free(j->credential);
                j->user_pass = secret_free(j->user_pass);
                j->left_boot = rows[i].left;
                j->config->on_expiry = rows[i].on_expiry;
                assert_ok(wanted_collect(&j, 1, &rows[i].target, &wanted, &n));
                assert_int_equal(n, rows[i].wanted ? 1 : 0);
                assert_true(n == 0 || (wanted[0].left && !wanted[0].user_pass));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(valid_credentials_alone_are_wanted),
                cmocka_unit_test(a_job_with_good_files_wins_over_one_that_broke),
                cmocka_unit_test(three_claims_to_one_key_are_one),
                cmocka_unit_test(what_was_left_is_wanted_where_it_cannot_be_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
