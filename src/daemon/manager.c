/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holds the daemon together: opens its parts, sees that fragments and targets follow the jobs, and says
 * when the first round is over. How jobs come and go is manager-jobs.c, what is kept for the next run
 * manager-save.c.
 *
 * Owns the jobs, the publisher, the state store, the link to the worker and the watch on the clock. Knows
 * no bus and no service manager: they look at it through an observer. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/configuration-load.h"
#include "daemon/configuration-log.h"
#include "daemon/fragment.h"
#include "daemon/job-attempt.h"
#include "daemon/job-hold.h"
#include "daemon/manager-parts.h"
#include "daemon/manager-save.h"
#include "daemon/manager-watch.h"
#include "daemon/manager.h"
#include "daemon/wanted.h"
#include "io/conf-tree.h"
#include "model/message-id.h"

#define WORKER_SOCKET "/run/pullauth/worker.sock"

/* For deriving this program's host id from the machine id, which itself is shown to nobody
 * (sd_id128_get_machine_app_specific(3)). */
#define APPLICATION_ID SD_ID128_MAKE(9d, 2c, 5e, 4f, 3b, 0a, 4d, 71, 86, c9, 57, e0, 1f, 62, ab, 38)

static void write_fragment(Manager *m, const Job *j) {
        int r;

        if (job_wants_publication(j))
                r = fragment_write(m->adoption.fragments_fd, j->name, j->config->scopes, j->user_pass);
        else
                r = fragment_remove(m->adoption.fragments_fd, j->name);
        if (r >= 0)
                return;
        log_warning_errno(r, "Job '%s': cannot write its fragment, ignoring: %m", j->name);
        manager_sweep_soon(m);
}

static void become_ready(Manager *m) {
        m->ready = true;
        m->ready_timer = sd_event_source_disable_unref(m->ready_timer);
        clusters_begin(m->clusters);
        if (m->observer.ready)
                m->observer.ready(m->observer.userdata);
}

static void check_ready(Manager *m) {
        if (m->ready)
                return;
        for (; m->n_decided < m->n_jobs; m->n_decided++)
                if (job_is_undecided(m->jobs[m->n_decided]))
                        return;
        become_ready(m);
}

static int on_ready_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        log_notice("Some first refreshes are still under way, going on without waiting for them");
        become_ready(userdata);
        return 0;
}

static void on_job_changed(Job *j, JobChange what, void *userdata) {
        Manager *m = userdata;

        if (m->observer.job_changed)
                m->observer.job_changed(j, what, m->observer.userdata);
}

static void on_job_publish(Job *j, void *userdata) {
        Manager *m = userdata;

        write_fragment(m, j);
        STRV_FOREACH(target, j->config->targets)
                publisher_mark(m->publisher, *target);
        /* It may have something in files that its own do not name any more. */
        if (j->configuration_failure)
                publisher_mark_all(m->publisher);
        if (!j->credential)
                manager_record_job(m, j);
}

static void on_job_ended(Job *j, void *userdata) {
        Manager *m = userdata;

        manager_record_job(m, j);
        check_ready(m);
}

static int collect(const TargetConfig *target, Wanted **ret, size_t *ret_n, void *userdata) {
        Manager *m = userdata;

        if (target_config_is_orphan(target))
                return wanted_collect_kept(m->jobs, m->n_jobs, state_store_data(m->store), target->paths[0],
                                           ret, ret_n);
        return wanted_collect(m->jobs, m->n_jobs, target, ret, ret_n);
}

static void report(const TargetConfig *target, const Wanted *wanted, size_t n, const Failure *failure,
                   void *userdata) {
        Manager *m = userdata;

        wanted_report(m->jobs, m->n_jobs, target->name, wanted, n, failure);
}

static void tell_noted(const TargetConfig *target, void *userdata) {
        Manager *m = userdata;

        for (size_t i = 0; i < m->n_jobs; i++)
                if (strv_contains(m->jobs[i]->config->targets, target->name))
                        job_announce(m->jobs[i], JOB_CHANGED_TARGETS);
}

static void tell_written(const TargetConfig *target, void *userdata) {
        Manager *m = userdata;

        if (m->observer.target_written)
                m->observer.target_written(target, m->observer.userdata);
}

usec_t manager_real_time(const Manager *m, usec_t boot) {
        if (boot == 0 || boot == USEC_INFINITY)
                return 0;
        return boot + (usec_t) m->real_offset;
}

/* Kept rather than computed at each question, so that one deadline is always shown as the same time of
 * day. */
static void capture_real_offset(Manager *m) {
        m->real_offset = (int64_t) (now_real() - now_boot());
}

static void on_clock_set(void *userdata) {
        Manager *m = userdata;

        capture_real_offset(m);
        for (size_t i = 0; i < m->n_jobs; i++) {
                job_clock_changed(m->jobs[i]);
                manager_record_job(m, m->jobs[i]);
        }
        manager_wake(m, WAIT_EVENT_CLOCK);
}

int manager_new(sd_event *event, const char *root, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->adoption.fragments_fd = -EBADF;
        m->root = strdup(root);
        if (!m->root)
                return -ENOMEM;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        if (m->store)
                manager_save_now(m);
        manager_unwatch_files(m);
        for (size_t i = 0; i < m->n_jobs; i++)
                job_free(m->jobs[i]);
        free(m->jobs);
        alarms_free(m->attempts);
        alarms_free(m->wakes);
        alarms_free(m->ends);
        publisher_free(m->publisher);
        clusters_free(m->clusters);
        worker_link_free(m->worker);
        state_store_free(m->store);
        time_change_free(m->time_change);
        sd_event_source_disable_unref(m->save_timer);
        sd_event_source_disable_unref(m->ready_timer);
        configuration_free(m->configuration);
        closep(&m->adoption.fragments_fd);
        strv_free(m->owed_reloads);
        free(m->root);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

void manager_set_observer(Manager *m, const ManagerObserver *observer) {
        m->observer = *observer;
}

static int open_store(Manager *m) {
        _cleanup_free_ char *directory = NULL, *problem = NULL;
        int r;

        r = text_format(&directory, "%s%s", m->root, MANAGER_STATE_DIRECTORY);
        if (r >= 0)
                r = state_store_open(directory, &m->store, &problem);
        if (r < 0)
                return log_error_errno(r, "Cannot use the state directory %s%s: %m", m->root,
                                       MANAGER_STATE_DIRECTORY);
        if (problem)
                log_full(LOG_WARNING, 0, MESSAGE_ID_STATE_UNUSABLE, NULL, 0, "%s", problem);
        return 0;
}

/* While the service starts, it is the publication that everybody waits for. Later what stands is good for
 * long. */
static void on_worker_idle(void *userdata) {
        Manager *m = userdata;

        if (!m->ready)
                publisher_hurry(m->publisher);
}

static int open_worker(Manager *m) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_format(&path, "%s%s", m->root, WORKER_SOCKET);
        if (r < 0)
                return r;
        return worker_link_new(m->event, path, on_worker_idle, m, &m->worker);
}

static void on_attempt(void *userdata) {
        job_attempt_start(userdata);
}

static void on_end(void *userdata) {
        job_end_credential(userdata);
}

static int open_alarms(Manager *m) {
        int r;

        r = alarms_new(m->event, CLOCK_BOOTTIME, on_attempt, &m->attempts);
        if (r >= 0)
                r = alarms_new(m->event, CLOCK_BOOTTIME_ALARM, on_attempt, &m->wakes);
        return r < 0 ? r : alarms_new(m->event, CLOCK_BOOTTIME, on_end, &m->ends);
}

static void make_context(Manager *m) {
        sd_id128_t id = SD_ID128_NULL;

        /* Without a machine id the install salt alone tells hosts apart. */
        (void) sd_id128_get_machine_app_specific(APPLICATION_ID, &id);
        m->context = (JobContext){
                .event = m->event,
                .attempts = m->attempts,
                .wakes = m->wakes,
                .ends = m->ends,
                .worker = m->worker,
                .root = m->root,
                .salt = state_store_data(m->store)->salt,
                .salt_size = STATE_SALT_SIZE,
                .observer = {
                        .changed = on_job_changed,
                        .publish = on_job_publish,
                        .ended = on_job_ended,
                        .userdata = m,
                },
        };
        memcpy(m->context.host, id.bytes, sizeof(m->context.host));
        m->adoption.root = m->root;
        m->adoption.state = state_store_data(m->store);
        id = SD_ID128_NULL;
        (void) sd_id128_get_boot(&id);
        memcpy(m->adoption.boot_id, id.bytes, sizeof(m->adoption.boot_id));
        state_data_begin_boot(state_store_data(m->store), m->adoption.boot_id);
}

static int find_target(const char *place, TargetConfig **ret, void *userdata) {
        const Manager *m = userdata;
        const TargetSet *all = m->configuration->targets;

        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].config->cluster && strv_contains(all->items[i].config->paths, place))
                        return target_set_get(all, all->items[i].config->name, ret);
        return 0;
}

static int open_targets(Manager *m) {
        const PublisherClient client = { .collect = collect,
                                         .done = report,
                                         .noted = tell_noted,
                                         .written = tell_written,
                                         .userdata = m };
        const ClustersContext context = {
                .event = m->event,
                .root = m->root,
                .store = m->store,
                .worker = m->worker,
                .host = m->context.host,
                .client = client,
                .find = find_target,
        };
        int r;

        make_context(m);
        /* What is written from here on is told of once it stands. */
        r = strv_copy(state_store_data(m->store)->reload_units, &m->owed_reloads);
        if (r < 0)
                return r;
        r = publisher_new(m->event, m->root, m->store, &client, &m->publisher);
        if (r >= 0)
                r = clusters_new(&context, &m->clusters);
        if (r >= 0)
                publisher_set_clusters(m->publisher, m->clusters);
        return r;
}

static int open_parts(Manager *m) {
        int r;

        r = open_store(m);
        if (r < 0)
                return r;
        r = fragments_open(m->root, &m->adoption.fragments_fd);
        if (r < 0)
                return log_error_errno(r, "Cannot use the runtime directory %s/run/pullauth: %m", m->root);
        r = open_worker(m);
        if (r >= 0)
                r = open_alarms(m);
        if (r >= 0)
                r = open_targets(m);
        if (r >= 0)
                r = manager_save_open(m);
        if (r < 0)
                return log_error_errno(r, "Cannot start: %m");
        r = time_change_new(m->event, on_clock_set, m, &m->time_change);
        if (r < 0)
                log_warning_errno(r, "Cannot watch the clock, ignoring: %m");
        capture_real_offset(m);
        return 0;
}

static int load_configuration(Manager *m, Configuration **ret) {
        int r;

        r = configuration_load(m->root, ret);
        if (r < 0)
                return r;
        log_configure_level((*ret)->daemon->log_level);
        configuration_log(*ret);
        return 0;
}

int manager_start(Manager *m) {
        Configuration *c;
        int r;

        r = open_parts(m);
        if (r < 0)
                return r;
        r = load_configuration(m, &c);
        if (r < 0)
                return log_error_errno(r, "Cannot read the configuration: %m");
        r = sd_event_add_time_relative(m->event, &m->ready_timer, CLOCK_BOOTTIME, c->daemon->ready_timeout,
                                       0, on_ready_timer, m);
        if (r < 0) {
                configuration_free(c);
                return log_error_errno(r, "Cannot start: %m");
        }
        (void) manager_apply(m, c, MANAGER_APPLY_AT_START);
        manager_sweep(m);
        /* Also without a job: what an earlier run left and nobody wants any more has to go. */
        publisher_mark_all(m->publisher);
        publisher_write_marked(m->publisher);
        check_ready(m);
        return 0;
}

int manager_reload(Manager *m) {
        Configuration *c;
        int r;

        r = load_configuration(m, &c);
        if (r < 0)
                return log_error_errno(r, "Cannot read the configuration, keeping the old one: %m");
        r = manager_apply(m, c, 0);
        /* Templates are files as well, and only here are they asked for. */
        publisher_mark_all(m->publisher);
        /* A job that everybody waited for may be gone. */
        check_ready(m);
        return r;
}

/* Drop-ins without a main file are complained about as a whole; now they may have one. */
static void drop_complaints(Manager *m, const char *name) {
        for (ConfPlace p = 0; p < _CONF_PLACE_MAX; p++) {
                _cleanup_free_ char *path = NULL;

                if (text_format(&path, "%s%s/jobs/%s.job.d", m->root, conf_place_path(p), name) >= 0)
                        conf_drop_messages(m->configuration->messages, path);
        }
}

static int reload_one(Manager *m, const char *name) {
        _cleanup_(job_definition_done) JobDefinition d = {};
        Conf *conf = NULL;
        int r;

        r = conf_tree_load_one(m->root, configuration_kinds + CONFIGURATION_JOBS, name, NULL, 0, &conf);
        if (r < 0)
                return log_error_errno(r, "Cannot read the files of job '%s', keeping what it is: %m", name);
        if (r == 0)
                return manager_apply_job(m, name, NULL);
        r = manager_define_job(m, name, conf, &d);
        if (r < 0)
                return r;
        configuration_log_messages(d.conf, name);
        return manager_apply_job(m, name, &d);
}

/* Whoever lost a scope to the job may have it now. Names, since a job may be gone when its turn comes. */
static int reload_losers(Manager *m) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < m->n_jobs && r >= 0; i++) {
                const Failure *f = m->jobs[i]->configuration_failure;

                if (f && f->reason == REASON_SCOPE_CONFLICT)
                        r = strv_append(&names, m->jobs[i]->name);
        }
        STRV_FOREACH(name, names)
                if (r >= 0)
                        r = reload_one(m, *name);
        return r;
}

int manager_reload_job(Manager *m, const char *name) {
        int r;

        r = reload_one(m, name);
        if (r >= 0)
                r = reload_losers(m);
        drop_complaints(m, name);
        if (m->observer.configuration_changed)
                m->observer.configuration_changed(m->observer.userdata);
        check_ready(m);
        return r;
}

void manager_reset_failed(Manager *m, Job *j) {
        for (size_t i = 0; i < j->n_targets; i++)
                if (j->targets[i].failure)
                        publisher_reset_failed(m->publisher, j->targets[i].name);
        job_reset_failed(j);
}

Job *const *manager_jobs(const Manager *m, size_t *ret_n) {
        *ret_n = m->n_jobs;
        return m->jobs;
}

const Configuration *manager_configuration(const Manager *m) {
        return m->configuration;
}

const char *manager_root(const Manager *m) {
        return m->root;
}

int manager_ask(Manager *m, const WorkerClient *client, WorkerCall **ret) {
        return worker_call_new(m->worker, client, ret);
}

const char *manager_target_path(const Manager *m, const char *target) {
        return publisher_target_path(m->publisher, target);
}

const char *manager_target_note(const Manager *m, const char *target) {
        return publisher_target_note(m->publisher, target);
}

bool manager_is_ready(const Manager *m) {
        return m->ready;
}

void manager_count(const Manager *m, ManagerCounts *ret) {
        *ret = (ManagerCounts){};
        for (size_t i = 0; i < m->n_jobs; i++)
                ret->n[m->jobs[i]->state]++;
        ret->all = (uint32_t) m->n_jobs;
}
