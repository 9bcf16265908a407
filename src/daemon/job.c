/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job's life from outside: its files, what an earlier run left, requests to refresh, answers of
 * targets.
 *
 * Owns the rules of what a change of its files does. How one attempt goes is job-attempt.c, how a
 * credential is held job-hold.c.
 *
 * Refuses to give up a good credential for a broken configuration: it stands to its end. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/job-attempt.h"
#include "daemon/job-hold.h"
#include "daemon/job-log.h"
#include "daemon/job-wait.h"
#include "daemon/job.h"

/* A refresh on demand costs the registry two requests and an audit row: not more often than this. */
#define FORCED_INTERVAL (5 * USEC_PER_SEC)

void job_settings_done(JobSettings *s) {
        s->config = job_config_free(s->config);
        s->identity = identity_config_free(s->identity);
        s->conf = conf_free(s->conf);
        s->failure = failure_free(s->failure);
}

static void targets_done(JobTarget *targets, size_t n) {
        for (size_t i = 0; i < n; i++) {
                failure_free(targets[i].failure);
        }
        free(targets);
}

Job *job_free(Job *j) {
        if (!j)
                return NULL;
        worker_call_free(j->call);
        alarm_stop(&j->attempt);
        alarm_stop(&j->end);
        sd_event_source_disable_unref(j->reread_timer);
        job_config_free(j->config);
        identity_config_free(j->identity);
        conf_free(j->conf);
        failure_free(j->configuration_failure);
        credential_free(j->credential);
        secret_free(j->user_pass);
        identity_claims_free(j->claims);
        failure_free(j->failure);
        strv_free(j->notices);
        targets_done(j->targets, j->n_targets);
        free(j);
        return NULL;
}

int job_adopt(Job *j, Credential *credential, const JobTimes *times) {
        int r;

        credential->obtained_boot = times->obtained_boot;
        r = job_hold_credential(j, credential, times->expires_boot);
        if (r < 0)
                return r;
        j->delivered = true; /* by the run of the daemon that fetched it */
        j->end_estimated = times->estimated;
        if (times->due_boot > 0 && times->due_boot < j->expires_boot)
                j->due_boot = times->due_boot;
        return 0;
}

int job_start(Job *j, usec_t delay) {
        usec_t first = usec_add(now_boot(), delay);
        int r;

        if (j->credential && j->due_boot > first)
                first = j->due_boot;
        r = job_schedule(j, job_may_attempt(j) ? first : USEC_INFINITY);
        job_update(j, _JOB_CHANGED_ALL);
        return r;
}

static JobTarget *find_target(Job *j, const char *name) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (streq(j->targets[i].name, name))
                        return j->targets + i;
        return NULL;
}

/* What stands in a target stands there whatever the files say now. */
static int make_targets(Job *j, const JobConfig *config, JobTarget **ret, size_t *ret_n) {
        size_t n = strv_length(config->targets);
        JobTarget *targets = calloc(n > 0 ? n : 1, sizeof(*targets));

        if (!targets)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const JobTarget *before = find_target(j, config->targets[i]);

                targets[i].name = config->targets[i];
                targets[i].stands = before && before->stands;
                targets[i].withdrawn = before && before->withdrawn;
        }
        *ret = targets;
        *ret_n = n;
        return 0;
}

static int take_settings(Job *j, JobSettings *s) {
        JobTarget *targets;
        size_t n_targets;
        int r;

        r = make_targets(j, s->config, &targets, &n_targets);
        if (r < 0)
                return r;
        targets_done(j->targets, j->n_targets);
        j->targets = targets;
        j->n_targets = n_targets;
        job_config_free(j->config);
        j->config = TAKE_PTR(s->config);
        j->name = j->config->name;
        identity_config_free(j->identity);
        j->identity = TAKE_PTR(s->identity);
        return 0;
}

/* Consumes `conf`. */
static Conf *keep_messages(Conf *conf) {
        return conf && conf->n_messages > 0 ? conf : conf_free(conf);
}

int job_new(const JobContext *context, JobSettings *settings, Job **ret) {
        _cleanup_(job_settings_done) JobSettings s = *settings;
        _cleanup_(job_freep) Job *j = NULL;
        int r;

        *settings = (JobSettings){};
        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        j->context = context;
        j->next_attempt_boot = USEC_INFINITY;
        r = take_settings(j, &s);
        if (r < 0)
                return r;
        j->conf = keep_messages(TAKE_PTR(s.conf));
        j->configuration_failure = TAKE_PTR(s.failure);
        *ret = TAKE_PTR(j);
        return 0;
}

static bool same_identity(const IdentityConfig *a, const IdentityConfig *b) {
        return a && b ? identity_config_equal(a, b) : a == b;
}

/* Would an exchange under the other settings give something else, or the same by another way? An identity
 * that is not known, since the files were broken when the credential was taken up, is no reason to think
 * so. */
static bool same_exchange(const Job *j, const JobSettings *s) {
        return j->config->exchange == s->config->exchange &&
               strv_equal(j->config->exchange_settings, s->config->exchange_settings) &&
               streq_ptr(j->config->registry, s->config->registry) &&
               streq_ptr(j->config->robot, s->config->robot) &&
               streq_ptr(j->config->ca_file, s->config->ca_file) &&
               streq_ptr(j->config->proxy, s->config->proxy) &&
               (!j->identity || same_identity(j->identity, s->identity));
}

/* Both were kept. */
static bool same_messages(const Conf *a, const Conf *b) {
        if (!a || !b || a->n_messages != b->n_messages)
                return a == b;
        for (size_t i = 0; i < a->n_messages; i++)
                if (a->messages[i].severity != b->messages[i].severity ||
                    a->messages[i].line != b->messages[i].line ||
                    !streq_ptr(a->messages[i].file, b->messages[i].file) ||
                    !streq_ptr(a->messages[i].text, b->messages[i].text))
                        return false;
        return true;
}

/* The new files are wrong: nothing is tried with them, but what the old ones brought stays to its end. */
static int stop_by_configuration(Job *j, JobSettings *s) {
        job_attempt_cancel(j);
        failure_free(j->configuration_failure);
        j->configuration_failure = TAKE_PTR(s->failure);
        (void) job_schedule(j, USEC_INFINITY);
        /* With nothing to keep, what people see is what the files say at this moment. */
        if (!j->credential && j->left_boot == 0) {
                int r = take_settings(j, s);

                if (r < 0)
                        return r;
        }
        job_update(j, JOB_CHANGED_CONFIGURATION | JOB_CHANGED_TARGETS);
        return 1;
}

/* As if it had never been, but for what is shown: what it put into targets is taken out. */
static int disable(Job *j, JobSettings *s) {
        int r;

        r = take_settings(j, s);
        if (r < 0)
                return r;
        job_attempt_cancel(j);
        j->configuration_failure = failure_free(j->configuration_failure);
        j->failure = failure_free(j->failure);
        j->pace = (Pace){};
        (void) job_schedule(j, USEC_INFINITY);
        if (j->credential || j->left_boot > 0)
                job_drop_credential(j);
        job_update(j, _JOB_CHANGED_ALL);
        return 1;
}

/* The soonest that somebody can have an attempt by asking for it. */
static usec_t soonest_forced(const Job *j) {
        usec_t now = now_boot(), spaced = usec_add(j->last_attempt_boot, FORCED_INTERVAL);

        return j->attempts_started > 0 && spaced > now ? spaced : now;
}

/* A wait for a failure goes on, an attempt as well: what changed is none of their business. */
static int keep_schedule(Job *j, bool new_due) {
        if (new_due && j->credential)
                j->due_boot = job_due(j);
        if (!job_may_attempt(j) || job_is_attempting(j) ||
            (j->failure && j->next_attempt_boot != USEC_INFINITY))
                return 0;
        return job_schedule_when_due(j);
}

static int apply_settings(Job *j, JobSettings *s) {
        const JobObserver *o = &j->context->observer;
        bool same_robot = streq_ptr(j->config->registry, s->config->registry) &&
                          streq_ptr(j->config->robot, s->config->robot);
        bool same_due = j->config->minimum_remaining == s->config->minimum_remaining;
        bool again = !same_exchange(j, s) || !job_has_valid_credential(j);
        int r;

        r = take_settings(j, s);
        if (r < 0)
                return r;
        j->configuration_failure = failure_free(j->configuration_failure);
        j->told_no_wake = false;
        if (again) {
                job_attempt_cancel(j);
                j->failure = failure_free(j->failure);
                j->pace = (Pace){};
        }
        if ((j->credential || j->left_boot > 0) && !same_robot)
                job_drop_credential(j);
        else
                o->publish(j, o->userdata);
        r = again ? job_schedule(j, soonest_forced(j)) : keep_schedule(j, !same_due);
        job_update(j, _JOB_CHANGED_ALL);
        return r < 0 ? r : 1;
}

/* Returns 1 if they are others than before, be it that they say the same. */
static int take_files(Job *j, const JobConfig *c) {
        char **copy;
        int r;

        if (strv_equal(j->config->files, c->files))
                return 0;
        r = strv_copy(c->files, &copy);
        if (r < 0)
                return r;
        strv_free(j->config->files);
        j->config->files = copy;
        return 1;
}

int job_reconfigure(Job *j, JobSettings *settings) {
        _cleanup_(job_settings_done) JobSettings s = *settings;
        bool same_failure = failure_equal(j->configuration_failure, s.failure);
        bool talk;
        int r;

        *settings = (JobSettings){};
        s.conf = keep_messages(s.conf);
        talk = !same_messages(j->conf, s.conf);
        r = take_files(j, s.config);
        if (r < 0)
                return r;
        talk = talk || r > 0;
        conf_free(j->conf);
        j->conf = TAKE_PTR(s.conf);
        if (talk)
                job_announce(j, JOB_CHANGED_CONFIGURATION);
        if (s.failure)
                return same_failure && job_config_equal(j->config, s.config) ? 0
                                                                             : stop_by_configuration(j, &s);
        if (same_failure && job_config_equal(j->config, s.config) && same_identity(j->identity, s.identity))
                return 0;
        return s.config->enabled ? apply_settings(j, &s) : disable(j, &s);
}

static int attempt_soon(Job *j) {
        usec_t soonest = soonest_forced(j);

        return soonest < j->next_attempt_boot ? job_schedule(j, soonest) : 0;
}

void job_reset_failed(Job *j) {
        j->pace = (Pace){};
        if (j->failure && job_may_attempt(j) && !job_is_attempting(j))
                (void) attempt_soon(j);
        job_announce(j, JOB_CHANGED_STATE);
}

int job_refresh(Job *j, uint64_t *ret_attempt) {
        int r;

        if (!job_may_attempt(j))
                return 0;
        if (job_is_attempting(j)) {
                *ret_attempt = j->attempts_started;
                return 1;
        }
        r = attempt_soon(j);
        if (r < 0)
                return r;
        *ret_attempt = j->attempts_started + 1;
        job_announce(j, JOB_CHANGED_STATE);
        return 1;
}

void job_wake(Job *j, WaitEvent event) {
        if (job_is_attempting(j))
                j->heard |= 1U << event;
        else
                job_wait_event(j, event);
}

/* Only what stood there can be withdrawn: a target of which nothing is wanted says so from the start. */
static JobChange note_standing(JobTarget *t) {
        if (t->result == TARGET_PUBLISHED)
                t->stands = true;
        if (t->result != TARGET_WITHDRAWN || !t->stands)
                return 0;
        t->stands = false;
        t->withdrawn = true;
        return JOB_HAPPENED_WITHDRAWN;
}

int job_set_target_result(Job *j, const char *target, TargetResult result, const Failure *failure) {
        _cleanup_failure_ Failure *copy = NULL;
        JobTarget *t = find_target(j, target);
        JobChange happened;
        bool news;
        int r;

        if (!t || (t->result == result && failure_equal(t->failure, failure)))
                return 0;
        if (failure) {
                r = failure_dup(failure, &copy);
                if (r < 0)
                        return r;
        }
        news = !t->failure != !copy || (copy && copy->reason != t->failure->reason);
        failure_free(t->failure);
        t->failure = TAKE_PTR(copy);
        t->result = result;
        happened = note_standing(t);
        if (news)
                job_log_target(j, t);
        job_attempt_target_answered(j);
        job_update(j, JOB_CHANGED_TARGETS | happened);
        return 0;
}

/* The end of what was adopted after a reboot was worked out from the real clock, which may have stood in
 * 1970 or at the moment when the host was switched off. It is set: the end is another one, and if it is
 * sooner, so is the time when it is due. */
static void judge_age(Job *j) {
        usec_t now = now_boot(), real = now_real(), end,
               issued = (usec_t) j->credential->issued * USEC_PER_SEC,
               expires = (usec_t) j->credential->expires * USEC_PER_SEC;

        if (usec_add(real, JOB_CLOCK_LEEWAY) < issued)
                return;
        end = usec_add(now, usec_sub(expires, real > issued ? real : issued));
        if (end < j->expires_boot)
                j->due_boot = usec_sub(j->due_boot, j->expires_boot - end);
        (void) job_limit_credential(j, end);
        (void) keep_schedule(j, /* new_due= */ false);
}

void job_clock_changed(Job *j) {
        if (j->credential && j->end_estimated)
                judge_age(j);
        job_judge_left(j);
        job_announce(j, JOB_CHANGED_CREDENTIAL | JOB_CHANGED_STATE);
}
