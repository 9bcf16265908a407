/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs as metrics, to the byte: without bus, worker or timers. */

#include "unit.h"

#include "base/text.h"
#include "config.h"
#include "daemon/manager-parts.h"
#include "daemon/metrics.h"

#define HEAD                                                                                       \
        "# TYPE pullauth_build info\n# HELP pullauth_build The pullauthd that runs.\n"             \
        "pullauth_build_info{version=\"" PROJECT_VERSION "\"} 1\n"                                 \
        "# TYPE pullauth_ready gauge\n# HELP pullauth_ready Whether the first attempt of each job" \
        " has ended or has had its time.\n"                                                        \
        "pullauth_ready 1\n"

static Job *make_job(const char *name) {
        Job *j = calloc(1, sizeof(*j));

        assert_non_null(j);
        j->config = calloc(1, sizeof(*j->config));
        j->name = j->config->name = strdup(name);
        j->config->registry = strdup("quay.example.com");
        j->config->robot = strdup("acme+edge");
        j->config->identity = strdup("default");
        j->next_attempt_boot = USEC_INFINITY;
        return j;
}

static void hold_credential(Job *j) {
        j->credential = calloc(1, sizeof(*j->credential));
        assert_non_null(j->credential);
        j->credential->user = strdup("acme+edge");
        assert_ok(secret_new_string("very-secret", &j->credential->secret));
        assert_ok(secret_new_string("acme+edge:secret", &j->user_pass));
        j->credential->issued = 1000;
        j->credential->expires = 4600;
        j->expires_boot = 3700 * USEC_PER_SEC;
}

static char *render(Job **jobs, size_t n) {
        Manager *m = NULL;
        char *text = NULL;
        sd_event *event;

        assert_ok(sd_event_default(&event));
        assert_int_equal(manager_new(event, "", &m), 0);
        m->real_offset = 1700000000 * (int64_t) USEC_PER_SEC;
        m->ready = true;
        m->jobs = calloc(n + 1, sizeof(*m->jobs));
        if (n > 0)
                memcpy(m->jobs, jobs, n * sizeof(*jobs));
        m->n_jobs = n;
        assert_int_equal(metrics_render(m, &text), 0);
        manager_free(m);
        sd_event_unref(event);
        return text;
}

/* The lines of one family, without what stands before and behind it. */
static void check_family(const char *text, const char *name, const char *wanted) {
        _cleanup_free_ char *start = NULL;
        const char *found, *end;

        assert_ok(text_format(&start, "# TYPE %s ", name));
        found = strstr(text, start);
        assert_non_null(found);
        found = strstr(found, "# HELP");
        found = strchr(found, '\n') + 1;
        end = strstr(found, "# ");
        assert_int_equal(strlen(wanted), end - found);
        assert_memory_equal(found, wanted, strlen(wanted));
}

static void without_jobs_all_families_are_there(void **state) {
        _cleanup_free_ char *text = render(NULL, 0);

        assert_non_null(startswith(text, HEAD));
        check_family(text, "pullauth_job_state", "");
        check_family(text, "pullauth_job_expires_timestamp_seconds", "");
        assert_non_null(endswith(text, "\n# EOF\n"));
}

static void a_fresh_job(void **state) {
        _cleanup_free_ char *text = NULL;
        Job *j = make_job("edge");

        hold_credential(j);
        j->state = JOB_FRESH;
        j->attempts_started = j->attempts_ended = 3;
        j->refreshes = 2;
        j->failures = 1;
        j->next_attempt_boot = 2500 * USEC_PER_SEC + 1;
        j->last_attempt_real = j->last_success_real = 1700000100 * USEC_PER_SEC;
        j->skew_known = true;
        j->skew_usec = -1500000;
        j->targets = calloc(1, sizeof(*j->targets));
        j->n_targets = 1;
        j->targets[0].name = "system";
        j->targets[0].result = TARGET_PUBLISHED;
        text = render(&j, 1);
        check_family(text, "pullauth_job",
                     "pullauth_job_info{job=\"edge\",registry=\"quay.example.com\",robot=\"acme+edge\","
                     "identity=\"default\"} 1\n");
        check_family(text, "pullauth_job_state",
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"inactive\"} 0\n"
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"refreshing\"} 0\n"
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"fresh\"} 1\n"
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"retrying\"} 0\n"
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"expired\"} 0\n"
                     "pullauth_job_state{job=\"edge\",pullauth_job_state=\"failed\"} 0\n");
        check_family(text, "pullauth_job_failure", "");
        check_family(text, "pullauth_job_attempts", "pullauth_job_attempts_total{job=\"edge\"} 3\n");
        check_family(text, "pullauth_job_refreshes", "pullauth_job_refreshes_total{job=\"edge\"} 2\n");
        check_family(text, "pullauth_job_failures", "pullauth_job_failures_total{job=\"edge\"} 1\n");
        check_family(text, "pullauth_job_failures_in_a_row",
                     "pullauth_job_failures_in_a_row{job=\"edge\"} 0\n");
        check_family(text, "pullauth_job_issued_timestamp_seconds",
                     "pullauth_job_issued_timestamp_seconds{job=\"edge\"} 1700000100.000000\n");
        check_family(text, "pullauth_job_expires_timestamp_seconds",
                     "pullauth_job_expires_timestamp_seconds{job=\"edge\"} 1700003700.000000\n");
        check_family(text, "pullauth_job_next_attempt_timestamp_seconds",
                     "pullauth_job_next_attempt_timestamp_seconds{job=\"edge\"} 1700002500.000001\n");
        check_family(text, "pullauth_job_last_success_timestamp_seconds",
                     "pullauth_job_last_success_timestamp_seconds{job=\"edge\"} 1700000100.000000\n");
        check_family(text, "pullauth_job_clock_skew_seconds",
                     "pullauth_job_clock_skew_seconds{job=\"edge\"} -1.500000\n");
        check_family(text, "pullauth_job_target_state",
                     "pullauth_job_target_state{job=\"edge\",target=\"system\","
                     "pullauth_job_target_state=\"pending\"} 0\n"
                     "pullauth_job_target_state{job=\"edge\",target=\"system\","
                     "pullauth_job_target_state=\"published\"} 1\n"
                     "pullauth_job_target_state{job=\"edge\",target=\"system\","
                     "pullauth_job_target_state=\"withdrawn\"} 0\n"
                     "pullauth_job_target_state{job=\"edge\",target=\"system\","
                     "pullauth_job_target_state=\"failed\"} 0\n");
        assert_null(strstr(text, "secret"));
        assert_null(strstr(text, "c2VjcmV0"));
}

static void what_is_not_known_has_no_sample(void **state) {
        _cleanup_free_ char *text = NULL;
        Job *j = make_job("edge");

        free(j->config->registry);
        j->config->registry = NULL;
        j->state = JOB_FAILED;
        assert_ok(failure_new(&j->failure, STEP_EXCHANGE, REASON_ROBOT_UNKNOWN, "x"));
        text = render(&j, 1);
        check_family(
                text, "pullauth_job_failure",
                "pullauth_job_failure_info{job=\"edge\",reason=\"robot-unknown\",step=\"exchange\"} 1\n");
        check_family(text, "pullauth_job_expires_timestamp_seconds", "");
        check_family(text, "pullauth_job_issued_timestamp_seconds", "");
        check_family(text, "pullauth_job_next_attempt_timestamp_seconds", "");
        check_family(text, "pullauth_job_last_success_timestamp_seconds", "");
        check_family(text, "pullauth_job_clock_skew_seconds", "");
        check_family(text, "pullauth_job_target_state", "");
}

static void samples_of_a_family_stand_together(void **state) {
        Job *jobs[] = { make_job("a"), make_job("b") };
        _cleanup_free_ char *text = render(jobs, ELEMENTSOF(jobs));

        check_family(text, "pullauth_job_attempts",
                     "pullauth_job_attempts_total{job=\"a\"} 0\npullauth_job_attempts_total{job=\"b\"} 0\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_jobs_all_families_are_there),
                cmocka_unit_test(a_fresh_job),
                cmocka_unit_test(what_is_not_known_has_no_sample),
                cmocka_unit_test(samples_of_a_family_stand_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
