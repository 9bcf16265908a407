/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What follows from what a job holds. The state is derived from facts after each event (model/job-state),
 * never set; so are the failure that people see and the time when a credential is due.
 *
 * Owns nothing and changes nothing but the state. */

#include "base/text.h"
#include "daemon/job-data.h"

static const char *const target_result_table[_TARGET_RESULT_MAX] = {
        [TARGET_PENDING] = "pending",
        [TARGET_PUBLISHED] = "published",
        [TARGET_WITHDRAWN] = "withdrawn",
        [TARGET_FAILED] = "failed",
};

const char *target_result_to_string(TargetResult r) {
        return r >= 0 && r < _TARGET_RESULT_MAX ? target_result_table[r] : NULL;
}

void job_told(Job *j) {
        j->unannounced = 0;
        for (size_t i = 0; i < j->n_targets; i++)
                j->targets[i].withdrawn = false;
}

bool job_has_valid_credential(const Job *j) {
        return j->credential && now_boot() < j->expires_boot;
}

bool job_wants_publication(const Job *j) {
        return job_has_valid_credential(j) || (j->credential && j->config->on_expiry == ON_EXPIRY_RETAIN);
}

bool job_wants_left(const Job *j) {
        return !j->credential && j->left_boot > 0 &&
               (now_boot() < j->left_boot || j->config->on_expiry == ON_EXPIRY_RETAIN);
}

usec_t job_remaining(const Job *j) {
        return j->credential ? usec_sub(j->expires_boot, now_boot()) : 0;
}

bool job_is_attempting(const Job *j) {
        return j->call || j->reread_timer || j->awaiting_publication;
}

bool job_is_runtime(const Job *j) {
        const char *path;

        if (!j->config->files || !j->config->files[0])
                return false;
        path = startswith(j->config->files[0], j->context->root);
        return path && startswith(path, "/run/");
}

bool job_may_attempt(const Job *j) {
        return !j->configuration_failure && j->config->enabled;
}

bool job_is_undecided(const Job *j) {
        return job_may_attempt(j) && !job_has_valid_credential(j) && j->attempts_ended == 0;
}

static const Failure *target_failure(const Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (j->targets[i].failure)
                        return j->targets[i].failure;
        return NULL;
}

const Failure *job_failure(const Job *j) {
        return j->configuration_failure ?: j->failure ?: target_failure(j);
}

bool job_is_published(const Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (j->targets[i].result != TARGET_PUBLISHED)
                        return false;
        return true;
}

bool job_is_settled(const Job *j) {
        if (job_has_valid_credential(j) && job_is_published(j))
                return true;
        return !job_may_attempt(j) || j->state == JOB_FAILED;
}

void job_announce(Job *j, JobChange what) {
        const JobObserver *o = &j->context->observer;

        o->changed(j, what, o->userdata);
}

void job_update(Job *j, JobChange what) {
        const JobFacts facts = {
                .disabled = !j->config->enabled,
                .attempting = job_is_attempting(j),
                .valid = job_has_valid_credential(j),
                .published = job_is_published(j),
                .failure = job_failure(j),
        };

        j->state = job_state_derive(&facts);
        job_announce(j, what | JOB_CHANGED_STATE);
}

usec_t job_due(const Job *j) {
        uint64_t phase = schedule_phase(j->context->host, j->context->salt, j->context->salt_size, j->name);

        /* Not the lifetime: of a credential that was adopted after a reboot only the rest lies on this
         * clock. */
        return schedule_due(phase, j->credential->obtained_boot,
                            usec_sub(j->expires_boot, j->credential->obtained_boot),
                            j->config->minimum_remaining);
}
