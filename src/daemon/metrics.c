/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The metrics that there are.
 *
 * Owns their names, which are API (org.pullauth1(5)), and what each of them counts. All families are there
 * in every text, be it without a sample: what is missing cannot be told from what is wrong. Holds nothing
 * and counts nothing itself; what is not known of a job has no sample, rather than one that is 0. */

#include "base/text.h"
#include "codec/open-metrics.h"
#include "config.h"
#include "daemon/metrics.h"

typedef void (*Append)(OpenMetrics *o, const Manager *m, const Job *j);

typedef struct Family {
        MetricType type;
        const char *name, *unit, *help;
        Append append; /* the samples of one job */
} Family;

#define LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void append_info(OpenMetrics *o, const Manager *m, const Job *j) {
        open_metrics_number(o,
                            LABELS("job", j->name, "registry", strempty(j->config->registry), "robot",
                                   strempty(j->config->robot), "identity", strempty(j->config->identity)),
                            1);
}

static void append_state(OpenMetrics *o, const Manager *m, const Job *j) {
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                open_metrics_number(o, LABELS("job", j->name, "pullauth_job_state", job_state_to_string(s)),
                                    j->state == s);
}

static void append_failure(OpenMetrics *o, const Manager *m, const Job *j) {
        const Failure *f = job_failure(j);

        if (f)
                open_metrics_number(o,
                                    LABELS("job", j->name, "reason", reason_to_string(f->reason), "step",
                                           failure_step_to_string(f->step)),
                                    1);
}

static void append_attempts(OpenMetrics *o, const Manager *m, const Job *j) {
        open_metrics_number(o, LABELS("job", j->name), j->attempts_started);
}

static void append_refreshes(OpenMetrics *o, const Manager *m, const Job *j) {
        open_metrics_number(o, LABELS("job", j->name), j->refreshes);
}

static void append_failures(OpenMetrics *o, const Manager *m, const Job *j) {
        open_metrics_number(o, LABELS("job", j->name), j->failures);
}

static void append_failures_in_a_row(OpenMetrics *o, const Manager *m, const Job *j) {
        open_metrics_number(o, LABELS("job", j->name), pace_failures(&j->pace));
}

static void append_time(OpenMetrics *o, const Job *j, usec_t real) {
        if (real > 0)
                open_metrics_span(o, LABELS("job", j->name), (int64_t) real);
}

static void append_issued(OpenMetrics *o, const Manager *m, const Job *j) {
        if (j->credential)
                append_time(
                        o, j,
                        usec_sub(manager_real_time(m, j->expires_boot), credential_lifetime(j->credential)));
}

static void append_expires(OpenMetrics *o, const Manager *m, const Job *j) {
        if (j->credential)
                append_time(o, j, manager_real_time(m, j->expires_boot));
}

static void append_next_attempt(OpenMetrics *o, const Manager *m, const Job *j) {
        append_time(o, j, manager_real_time(m, j->next_attempt_boot));
}

static void append_last_attempt(OpenMetrics *o, const Manager *m, const Job *j) {
        append_time(o, j, j->last_attempt_real);
}

static void append_last_success(OpenMetrics *o, const Manager *m, const Job *j) {
        append_time(o, j, j->last_success_real);
}

static void append_skew(OpenMetrics *o, const Manager *m, const Job *j) {
        if (j->skew_known)
                open_metrics_span(o, LABELS("job", j->name), j->skew_usec);
}

static void append_targets(OpenMetrics *o, const Manager *m, const Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                for (TargetResult r = 0; r < _TARGET_RESULT_MAX; r++)
                        open_metrics_number(o,
                                            LABELS("job", j->name, "target", j->targets[i].name,
                                                   "pullauth_job_target_state", target_result_to_string(r)),
                                            j->targets[i].result == r);
}

static const Family families[] = {
        { METRIC_INFO, "pullauth_job", NULL, "What the job is about.", append_info },
        { METRIC_STATESET, "pullauth_job_state", NULL, "State of the job.", append_state },
        { METRIC_INFO, "pullauth_job_failure", NULL,
          "Why the job is not fresh; there is none while all is well.", append_failure },
        { METRIC_COUNTER, "pullauth_job_attempts", NULL, "Attempts since pullauthd started.",
          append_attempts },
        { METRIC_COUNTER, "pullauth_job_refreshes", NULL,
          "Credentials brought into every target since pullauthd started.", append_refreshes },
        { METRIC_COUNTER, "pullauth_job_failures", NULL, "Attempts that failed since pullauthd started.",
          append_failures },
        { METRIC_GAUGE, "pullauth_job_failures_in_a_row", NULL,
          "Failures since a credential last stood in every target.", append_failures_in_a_row },
        { METRIC_GAUGE, "pullauth_job_issued_timestamp_seconds", "seconds",
          "When the life of the credential that is held began.", append_issued },
        { METRIC_GAUGE, "pullauth_job_expires_timestamp_seconds", "seconds",
          "When the credential that is held ends.", append_expires },
        { METRIC_GAUGE, "pullauth_job_next_attempt_timestamp_seconds", "seconds",
          "When the next attempt is due.", append_next_attempt },
        { METRIC_GAUGE, "pullauth_job_last_attempt_timestamp_seconds", "seconds",
          "When the last attempt began.", append_last_attempt },
        { METRIC_GAUGE, "pullauth_job_last_success_timestamp_seconds", "seconds",
          "When a credential was last brought into every target.", append_last_success },
        { METRIC_GAUGE, "pullauth_job_clock_skew_seconds", "seconds",
          "How far the clock of the registry is ahead of this host's.", append_skew },
        { METRIC_STATESET, "pullauth_job_target_state", NULL, "State of each target of the job.",
          append_targets },
};

int metrics_render(const Manager *m, char **ret) {
        _cleanup_(open_metrics_freep) OpenMetrics *o = NULL;
        Job *const *jobs;
        size_t n;
        int r;

        r = open_metrics_new(&o);
        if (r < 0)
                return r;
        open_metrics_family(o, METRIC_INFO, "pullauth_build", NULL, "The pullauthd that runs.");
        open_metrics_number(o, LABELS("version", PROJECT_VERSION), 1);
        open_metrics_family(o, METRIC_GAUGE, "pullauth_ready", NULL,
                            "Whether the first attempt of each job has ended or has had its time.");
        open_metrics_number(o, NULL, manager_is_ready(m));
        jobs = manager_jobs(m, &n);
        for (const Family *f = families; f < families + ELEMENTSOF(families); f++) {
                open_metrics_family(o, f->type, f->name, f->unit, f->help);
                for (size_t i = 0; i < n; i++)
                        f->append(o, m, jobs[i]);
        }
        return open_metrics_finish(o, ret);
}
