/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Between jobs and targets: who wants which key, and what came of it.
 *
 * Owns nothing; looks at all jobs anew each time, so that there is no account of it that could go stale.
 * A job without a valid credential wants nothing, and what is not wanted is taken out of the target. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/wanted.h"

static bool wants_target(const Job *j, const char *target) {
        return strv_contains(j->config->targets, target);
}

static size_t room_for(Job *const *jobs, size_t n_jobs) {
        size_t room = 0;

        for (size_t i = 0; i < n_jobs; i++)
                room += strv_length(jobs[i]->config->scopes) + 1;
        return room;
}

/* Places that are read by others only: what stands there is known by its fingerprint alone. Files of other
 * kinds were read when the job was taken up. */
static bool keeps_left(const TargetConfig *target) {
        return target->cluster || target->template;
}

/* Equal keys side by side, the one that shall have it first: what is there goes before what was left. */
static int compare_claims(const void *x, const void *y) {
        const Wanted *a = *(const Wanted *const *) x, *b = *(const Wanted *const *) y;
        int r = strcmp(a->key, b->key);

        if (r == 0 && a->left != b->left)
                r = a->left ? 1 : -1;
        return r != 0 ? r : (a > b) - (a < b);
}

static Wanted make_wanted(const Job *j, const char *key, const Secret *user_pass) {
        return (Wanted){
                .key = key,
                .job = j->name,
                .robot = j->config->robot,
                .user_pass = user_pass,
                .issued = j->credential ? j->credential->issued : 0,
                .expires = j->credential ? j->credential->expires : 0,
                .take_over = j->config->take_over,
        };
}

size_t wanted_of_job(const Job *j, const TargetConfig *target, const Secret *user_pass, Wanted *wanted) {
        char *const *keys;
        size_t n;

        keys = target_config_keys(target, j->config, &n);
        for (size_t i = 0; i < n; i++)
                wanted[i] = make_wanted(j, keys[i], user_pass);
        return n;
}

int wanted_settle(Wanted *wanted, size_t *n) {
        _cleanup_free_ Wanted **sorted = NULL;
        size_t kept = 0;

        sorted = calloc(*n + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < *n; i++)
                sorted[i] = wanted + i;
        qsort(sorted, *n, sizeof(*sorted), compare_claims);
        for (size_t i = 1; i < *n; i++)
                if (streq_ptr(sorted[i]->key, sorted[i - 1]->key)) {
                        sorted[i]->user_pass = NULL;
                        sorted[i]->left = false;
                }
        for (size_t i = 0; i < *n; i++)
                if (wanted[i].user_pass || wanted[i].left)
                        wanted[kept++] = wanted[i];
        *n = kept;
        return 0;
}

/* Returns how many there are then. */
static size_t add_left(const Job *j, const TargetConfig *target, Wanted *wanted, size_t n) {
        size_t first = n;

        n += wanted_of_job(j, target, NULL, wanted + n);
        for (size_t i = first; i < n; i++)
                wanted[i].left = true;
        return n;
}

static size_t add_wanted(const Job *j, const TargetConfig *target, Wanted *wanted, size_t n) {
        if (!wants_target(j, target->name))
                return n;
        if (job_wants_publication(j))
                return n + wanted_of_job(j, target, j->user_pass, wanted + n);
        return keeps_left(target) && job_wants_left(j) ? add_left(j, target, wanted, n) : n;
}

int wanted_collect(Job *const *jobs, size_t n_jobs, const TargetConfig *target, Wanted **ret,
                   size_t *ret_n) {
        _cleanup_free_ Wanted *wanted = NULL;
        size_t n = 0;
        int r;

        wanted = calloc(room_for(jobs, n_jobs) + 1, sizeof(*wanted));
        if (!wanted)
                return -ENOMEM;
        for (int broken = 0; broken < 2; broken++)
                for (size_t i = 0; i < n_jobs; i++)
                        if (!jobs[i]->configuration_failure == !broken)
                                n = add_wanted(jobs[i], target, wanted, n);
        r = wanted_settle(wanted, &n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(wanted);
        *ret_n = n;
        return 0;
}

static int compare_name(const void *key, const void *item) {
        return strcmp(key, (*(Job *const *) item)->name);
}

typedef struct Kept {
        Job *const *jobs;
        size_t n_jobs;
        bool cluster;
        Wanted *wanted; /* NULL: they are counted */
        size_t n;
} Kept;

static void keep_key(const OwnedKey *k, void *userdata) {
        Kept *kept = userdata;
        Job *const *found = bsearch(k->job, kept->jobs, kept->n_jobs, sizeof(*kept->jobs), compare_name);

        bool left = found && kept->cluster && job_wants_left(*found);

        if (!found || !(*found)->configuration_failure || (!job_wants_publication(*found) && !left))
                return;
        if (kept->wanted) {
                kept->wanted[kept->n] = make_wanted(*found, k->key, (*found)->user_pass);
                kept->wanted[kept->n].left = left;
        }
        kept->n++;
}

int wanted_collect_kept(Job *const *jobs, size_t n_jobs, StateData *state, const char *path, Wanted **ret,
                        size_t *ret_n) {
        Kept kept = { .jobs = jobs, .n_jobs = n_jobs, .cluster = startswith(path, CLUSTER_PLACE_PREFIX) };

        if (n_jobs > 0)
                state_data_each_key(state, path, keep_key, &kept);
        kept.wanted = calloc(kept.n + 1, sizeof(*kept.wanted));
        if (!kept.wanted)
                return -ENOMEM;
        kept.n = 0;
        if (n_jobs > 0)
                state_data_each_key(state, path, keep_key, &kept);
        *ret = kept.wanted;
        *ret_n = kept.n;
        return 0;
}

typedef struct Outcome {
        bool wanted;
        const Failure *failure;
} Outcome;

static void tell(Job *j, const char *target, const Outcome *o, const Failure *failure) {
        TargetResult result = o->wanted ? TARGET_PUBLISHED : TARGET_WITHDRAWN;
        int r;

        if (!failure)
                failure = o->failure;
        r = job_set_target_result(j, target, failure ? TARGET_FAILED : result, failure);
        if (r < 0)
                log_warning_errno(r, "Job '%s' cannot note what came of target '%s', ignoring: %m", j->name,
                                  target);
}

void wanted_report(Job *const *jobs, size_t n_jobs, const char *target, const Wanted *wanted, size_t n,
                   const Failure *failure) {
        _cleanup_free_ Outcome *outcomes = NULL;

        outcomes = calloc(n_jobs + 1, sizeof(*outcomes));
        if (!outcomes) {
                log_oom();
                return;
        }
        for (size_t i = 0; i < n; i++) {
                Job *const *found = bsearch(wanted[i].job, jobs, n_jobs, sizeof(*jobs), compare_name);
                Outcome *o;

                if (!found || (!wanted[i].user_pass && !wanted[i].left))
                        continue;
                o = outcomes + (found - jobs);
                o->wanted = true;
                if (!o->failure)
                        o->failure = wanted[i].failure;
        }
        for (size_t i = 0; i < n_jobs; i++)
                if (wants_target(jobs[i], target))
                        tell(jobs[i], target, outcomes + i, failure);
}
