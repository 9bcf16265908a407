/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From definitions to jobs: new ones are made and take up what an earlier run left, changed ones are
 * told, gone ones let go of their targets.
 *
 * Owns the order of the jobs (by name) and nothing else of the manager. Refuses to touch a job whose
 * files did not change. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/fragment.h"
#include "daemon/manager-jobs.h"
#include "daemon/manager-parts.h"
#include "daemon/manager-save.h"
#include "daemon/manager-watch.h"
#include "daemon/target-whole.h"
#include "model/image-reference.h"

/* Power came back for a whole site: its hosts spread over this. Later after boot nobody is synchronous. */
#define BOOT_SPREAD (3 * USEC_PER_SEC)
#define BOOT_TIME (5 * USEC_PER_MINUTE)

/* Where the job's first attempt lies in the seconds after a boot. */
static usec_t boot_delay(const Manager *m, const char *job) {
        if (now_boot() > BOOT_TIME)
                return 0;
        return schedule_phase(m->context.host, m->context.salt, m->context.salt_size, job) % BOOT_SPREAD;
}

/* Takes what the definition holds. */
static JobSettings take_settings(JobDefinition *d) {
        return (JobSettings){
                .config = TAKE_PTR(d->config),
                .identity = d->identity ? identity_config_share(d->identity) : NULL,
                .conf = TAKE_PTR(d->conf),
                .failure = TAKE_PTR(d->failure),
        };
}

static int insert_job(Manager *m, Job *j) {
        size_t at = m->n_jobs;
        Job **grown;

        grown = reallocarray(m->jobs, m->n_jobs + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->jobs = grown;
        while (at > 0 && strcmp(m->jobs[at - 1]->name, j->name) > 0)
                at--;
        memmove(m->jobs + at + 1, m->jobs + at, (m->n_jobs - at) * sizeof(*m->jobs));
        m->jobs[at] = j;
        m->n_jobs++;
        return 0;
}

static int add_job(Manager *m, JobDefinition *d, usec_t delay) {
        _cleanup_(job_freep) Job *j = NULL;
        JobSettings settings;
        Job *added;
        int r;

        if (d->failure) {
                r = adoption_recall(&m->adoption, d->config);
                if (r < 0)
                        return r;
        }
        settings = take_settings(d);
        r = job_new(&m->context, &settings, &j);
        if (r >= 0)
                r = insert_job(m, j);
        if (r < 0)
                return r;
        added = TAKE_PTR(j);
        r = adoption_try(&m->adoption, added);
        if (r < 0)
                log_warning_errno(r, "Job '%s': cannot take up what an earlier run left, ignoring: %m",
                                  added->name);
        if (m->observer.job_added)
                m->observer.job_added(added, m->observer.userdata);
        /* Before the start, which forgets when a job with a broken file is due. */
        manager_record_job(m, added);
        return job_start(added, delay);
}

typedef struct Retention {
        const char *job;
        char **keys;
        int error;
} Retention;

static void note_key_of_job(const OwnedKey *k, void *userdata) {
        Retention *n = userdata;

        if (n->error >= 0 && streq(k->job, n->job))
                n->error = strv_append(&n->keys, k->key);
}

/* OnRemove=retain: the entries stay where they are, as if somebody else had put them there. */
static void let_entries_go(Manager *m, const Job *j) {
        StateData *state = state_store_data(m->store);

        for (size_t i = 0; i < state->n_targets; i++) {
                const char *path = state->targets[i].name;
                Retention n = { .job = j->name };

                state_data_each_key(state, path, note_key_of_job, &n);
                if (n.error < 0)
                        log_oom();
                STRV_FOREACH(key, n.keys)
                        state_data_disown_key(state, path, *key);
                /* Nor is the file as a whole ours to remove, unless it is made anew each time. */
                if (n.keys && !target_whole_is_claimed(state, path))
                        state_data_disown_file(state, path);
                strv_free(n.keys);
        }
}

static void remove_job(Manager *m, size_t at) {
        Job *j = m->jobs[at];
        int r;

        if (m->observer.job_removed)
                m->observer.job_removed(j, m->observer.userdata);
        m->n_jobs--;
        memmove(m->jobs + at, m->jobs + at + 1, (m->n_jobs - at) * sizeof(*m->jobs));
        if (j->config->on_remove == ON_REMOVE_RETAIN)
                let_entries_go(m, j);
        r = fragment_remove(m->adoption.fragments_fd, j->name);
        if (r < 0) {
                log_warning_errno(r, "Job '%s': cannot remove its fragment, trying again later: %m",
                                  j->name);
                manager_sweep_soon(m);
        }
        state_data_forget_job(state_store_data(m->store), j->name);
        publisher_mark_all(m->publisher);
        manager_save_soon(m);
        job_free(j);
}

static size_t find_job(const Manager *m, const char *name) {
        size_t low = 0, high = m->n_jobs;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(m->jobs[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

Job *manager_find_job(const Manager *m, const char *name) {
        size_t at = find_job(m, name);

        return at < m->n_jobs && streq(m->jobs[at]->name, name) ? m->jobs[at] : NULL;
}

/* The longest scope of the job that covers the repository, or NULL. */
static const char *covering_scope(const Job *j, const char *repository) {
        const char *longest = NULL;

        STRV_FOREACH(s, j->config->scopes)
                if (scope_covers(*s, repository) && strlen(*s) > strlen(strempty(longest)))
                        longest = *s;
        return longest;
}

Job *manager_find_job_for(const Manager *m, const char *repository, const char **ret_scope) {
        const char *scope = NULL;
        Job *found = NULL;

        for (size_t i = 0; i < m->n_jobs; i++) {
                Job *j = m->jobs[i];
                const char *s = j->config->enabled ? covering_scope(j, repository) : NULL;
                size_t length = strlen(strempty(s)), longest = strlen(strempty(scope));

                if (length < longest || !s)
                        continue;
                if (found && length == longest &&
                    (!found->configuration_failure || j->configuration_failure))
                        continue;
                found = j;
                scope = s;
        }
        if (found)
                *ret_scope = scope;
        return found;
}

static bool is_defined(const Configuration *c, const char *name) {
        size_t low = 0, high = c->n_jobs;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int r = strcmp(c->jobs[middle].config->name, name);

                if (r == 0)
                        return true;
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

static int apply_definition(Manager *m, JobDefinition *d, ManagerApplyFlags flags) {
        Job *j = manager_find_job(m, d->config->name);
        JobSettings settings;
        int r;

        if (!j)
                return add_job(m, d, flags & MANAGER_APPLY_AT_START ? boot_delay(m, d->config->name) : 0);
        settings = take_settings(d);
        r = job_reconfigure(j, &settings);
        /* All: a target that the job gave up has to let go of it, too. */
        if (r > 0)
                publisher_mark_all(m->publisher);
        return r;
}

static bool has_name(TargetConfig *const *targets, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (streq(targets[i]->name, name))
                        return true;
        return false;
}

/* Those that jobs name, each once. What does not exist or is wrong is left out. */
static int list_targets(const Manager *m, TargetConfig ***targets, size_t *n) {
        for (size_t i = 0; i < m->n_jobs; i++)
                STRV_FOREACH(t, m->jobs[i]->config->targets) {
                        TargetConfig **grown, *found;
                        int r;

                        if (has_name(*targets, *n, *t))
                                continue;
                        r = target_set_get(m->configuration->targets, *t, &found);
                        if (r < 0)
                                return r;
                        if (r == 0)
                                continue;
                        grown = reallocarray(*targets, *n + 1, sizeof(*grown));
                        if (!grown) {
                                target_config_free(found);
                                return -ENOMEM;
                        }
                        *targets = grown;
                        grown[(*n)++] = found;
                }
        return 0;
}

static int set_targets(Manager *m) {
        TargetConfig **targets = NULL;
        size_t n = 0;
        int r;

        r = list_targets(m, &targets, &n);
        if (r >= 0)
                r = publisher_set_targets(m->publisher, targets, n);
        for (size_t i = 0; i < n; i++)
                target_config_free(targets[i]);
        free(targets);
        return r;
}

/* What has to follow when jobs came, went or changed. */
static void settle(Manager *m) {
        int r;

        adoption_forget(&m->adoption);
        r = set_targets(m);
        if (r < 0)
                log_error_errno(r, "Some targets cannot be set up: %m");
        if (manager_watch_files(m) < 0)
                log_warning("Cannot watch all token files, changes of them are noticed at the next attempt");
        m->n_decided = 0;
}

int manager_apply_job(Manager *m, const char *name, JobDefinition *definition) {
        int r = 0;

        if (definition)
                r = apply_definition(m, definition, 0);
        else if (manager_find_job(m, name))
                remove_job(m, find_job(m, name));
        settle(m);
        return r;
}

int manager_define_job(const Manager *m, const char *name, Conf *conf, JobDefinition *ret) {
        _cleanup_free_ const JobConfig **others = NULL;
        size_t n = 0;

        others = calloc(m->n_jobs + 1, sizeof(*others));
        if (!others) {
                conf_free(conf);
                return -ENOMEM;
        }
        for (size_t i = 0; i < m->n_jobs; i++)
                if (job_may_attempt(m->jobs[i]) && !streq(m->jobs[i]->name, name))
                        others[n++] = m->jobs[i]->config;
        return configuration_define_job(m->configuration, name, conf, others, n, ret);
}

int manager_apply(Manager *m, Configuration *c, ManagerApplyFlags flags) {
        Configuration *before = m->configuration;
        int result = 0;

        m->configuration = c;
        m->adoption.configuration = c;
        for (size_t i = m->n_jobs; i > 0; i--)
                if (!is_defined(c, m->jobs[i - 1]->name))
                        remove_job(m, i - 1);
        for (size_t i = 0; i < c->n_jobs; i++) {
                int r = apply_definition(m, c->jobs + i, flags);

                /* One job that cannot be had keeps no other from being. */
                if (r < 0)
                        result = log_error_errno(r, "A job cannot be set up: %m");
        }
        configuration_forget_jobs(c);
        settle(m);
        configuration_free(before);
        if (m->observer.configuration_changed)
                m->observer.configuration_changed(m->observer.userdata);
        return result;
}
