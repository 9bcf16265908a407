/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Holds identities and jobs against each other.
 *
 * Owns the rules that need more than one file: a job's identity and targets must exist, and a key of a
 * target has one job. What breaks a rule disables the one job that it concerns, with a failure that names
 * file, line and the other party. Reads no files: they are handed in. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/config-value.h"
#include "model/configuration.h"
#include "model/name.h"

const ConfKind configuration_kinds[_CONFIGURATION_KIND_MAX] = {
        [CONFIGURATION_TARGETS] = { "targets", ".target", .tell_masked = true },
        [CONFIGURATION_DAEMON] = { NULL, "pullauthd.conf" },
        [CONFIGURATION_IDENTITIES] = { "identities", ".identity" },
        [CONFIGURATION_JOBS] = { "jobs", ".job" },
};

void job_definition_done(JobDefinition *d) {
        d->config = job_config_free(d->config);
        d->identity = NULL;
        d->conf = conf_free(d->conf);
        d->failure = failure_free(d->failure);
}

void configuration_forget_jobs(Configuration *c) {
        for (size_t i = 0; i < c->n_jobs; i++)
                job_definition_done(c->jobs + i);
        free(TAKE_PTR(c->jobs));
        c->n_jobs = 0;
}

Configuration *configuration_free(Configuration *c) {
        if (!c)
                return NULL;
        configuration_forget_jobs(c);
        for (size_t i = 0; i < c->n_identities; i++) {
                identity_config_free(c->identities[i].config);
                conf_free(c->identities[i].conf);
        }
        free(c->identities);
        daemon_config_free(c->daemon);
        target_set_free(c->targets);
        conf_free(c->messages);
        free(c);
        return NULL;
}

int configuration_new(Configuration **ret) {
        _cleanup_(configuration_freep) Configuration *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = conf_new(&c->messages);
        if (r >= 0)
                r = target_set_new(&c->targets);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

/* Room for one more behind n items, in steps that double: each step is copied, and what it leaves erased. */
static void *room(void *items, size_t n, size_t size) {
        return (n & (n - 1)) == 0 ? reallocarray(items, n > 0 ? 2 * n : 1, size) : items;
}

static int copy_messages(const Conf *from, Conf *to) {
        for (size_t i = 0; i < from->n_messages; i++) {
                const ConfMessage *m = from->messages + i;
                int r = conf_add_message(to, m->severity, m->file, m->line, "%s", m->text);

                if (r < 0)
                        return r;
        }
        return 0;
}

static const ConfMessage *first_error(const Conf *conf) {
        for (size_t i = 0; i < conf->n_messages; i++)
                if (conf->messages[i].severity == CONF_ERROR)
                        return conf->messages + i;
        return NULL;
}

/* What to say of a target that nobody can name. Returns 1 with the sentence, 0 if it is fine, -ENOMEM. */
static int complain_target(const Configuration *c, const char *name, char **ret) {
        _cleanup_free_ char *names = NULL;
        int r;

        if (streq_ptr(target_name_user(name), "root")) {
                r = text_format(ret, "There is no target '%s', that of root is 'podman'", name);
                return r < 0 ? r : 1;
        }
        if (target_set_find(c->targets, name) || target_name_user(name))
                return 0;
        r = target_set_names(c->targets, &names);
        if (r >= 0)
                r = text_format(ret, "There is no target '%s', known ones are: %s", name, names);
        return r < 0 ? r : 1;
}

/* They stand all the same: a job that takes them must not publish elsewhere instead. */
static int check_default_targets(const Configuration *c, const DaemonConfig *daemon, Conf *conf) {
        STRV_FOREACH(t, daemon->job_defaults.targets) {
                const ConfAssignment *a = conf_find_assignment(conf, "Manager", "DefaultTargets");
                _cleanup_free_ char *text = NULL;
                int r;

                r = complain_target(c, *t, &text);
                if (r > 0 && a)
                        r = conf_add_message(conf, CONF_ERROR, a->file, a->line, "DefaultTargets=: %s",
                                             text);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return 0;
}

/* Consumes `conf`. Its messages belong to no job. */
static int add_daemon(Configuration *c, Conf *conf) {
        _cleanup_conf_ Conf *owned = conf;
        DaemonConfig *config;
        int r;

        r = daemon_config_new(owned, &config);
        if (r < 0)
                return r;
        daemon_config_free(c->daemon);
        c->daemon = config;
        r = check_default_targets(c, config, owned);
        return r < 0 ? r : copy_messages(owned, c->messages);
}

/* Consumes `conf`. */
static int add_identity(Configuration *c, const char *name, Conf *conf) {
        _cleanup_conf_ Conf *owned = conf;
        IdentityDefinition *grown;
        int r;

        grown = room(c->identities, c->n_identities, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        c->identities = grown;
        grown += c->n_identities;
        *grown = (IdentityDefinition){};
        r = identity_config_new(name, owned, &grown->config);
        if (r < 0)
                return r;
        conf_forget_assignments(owned);
        grown->conf = TAKE_PTR(owned);
        c->n_identities++;
        return 0;
}

/* Consumes `conf`. */
static int add_job(Configuration *c, const char *name, Conf *conf) {
        _cleanup_conf_ Conf *owned = conf;
        JobDefinition *grown;
        int r;

        grown = room(c->jobs, c->n_jobs, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        c->jobs = grown;
        grown += c->n_jobs;
        *grown = (JobDefinition){};
        r = job_config_new(name, owned, c->daemon ? &c->daemon->job_defaults : NULL, &grown->config);
        if (r < 0)
                return r;
        conf_forget_assignments(owned);
        grown->conf = TAKE_PTR(owned);
        c->n_jobs++;
        return 0;
}

int configuration_add(Configuration *c, ConfigurationKind kind, const char *name, Conf *conf) {
        switch (kind) {
        case CONFIGURATION_TARGETS:
                return target_set_add(c->targets, name, conf);
        case CONFIGURATION_DAEMON:
                return add_daemon(c, conf);
        case CONFIGURATION_IDENTITIES:
                return add_identity(c, name, conf);
        case CONFIGURATION_JOBS:
                return add_job(c, name, conf);
        case _CONFIGURATION_KIND_MAX:
        case _CONFIGURATION_KIND_INVALID:
                break;
        }
        conf_free(conf);
        return -EINVAL;
}

/* The job cannot work because of what `conf` says about some file of it or of its identity. */
static int fail_by_message(JobDefinition *d, const Conf *conf) {
        const ConfMessage *m = first_error(conf);
        _cleanup_free_ char *text = NULL;
        int r;

        r = conf_message_format(m, &text);
        if (r < 0)
                return r;
        return failure_new(&d->failure, STEP_CONFIGURATION, REASON_CONFIGURATION_INVALID, "%s", text);
}

/* The job cannot work because of how it fits to others. Says so as a message on its file, too. */
static int fail_by_rule(JobDefinition *d, Reason reason, const char *text) {
        int r;

        r = conf_add_message(d->conf, CONF_ERROR, config_main_file(d->conf), 0, "%s", text);
        if (r < 0)
                return r;
        return failure_new(&d->failure, STEP_CONFIGURATION, reason, "%s: %s", config_main_file(d->conf),
                           text);
}

static int compare_identity(const void *key, const void *item) {
        return strcmp(key, ((const IdentityDefinition *) item)->config->name);
}

static int check_identity(const Configuration *c, JobDefinition *d) {
        const IdentityDefinition *i = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (c->n_identities > 0)
                i = bsearch(d->config->identity, c->identities, c->n_identities, sizeof(*c->identities),
                            compare_identity);
        if (!i) {
                r = text_format(
                        &text,
                        "There is no identity '%s', make /etc/pullauth/identities/%s.identity or name "
                        "another one with Identity=",
                        d->config->identity, d->config->identity);
                return r < 0 ? r : fail_by_rule(d, REASON_IDENTITY_MISSING, text);
        }
        if (first_error(i->conf)) {
                r = fail_by_message(d, i->conf);
                if (r < 0)
                        return r;
        } else
                d->identity = i->config;
        return copy_messages(i->conf, d->conf);
}

static int check_targets(const Configuration *c, JobDefinition *d) {
        STRV_FOREACH(t, d->config->targets) {
                const TargetDefinition *target = target_set_find(c->targets, *t);
                _cleanup_free_ char *text = NULL;
                int r;

                r = complain_target(c, *t, &text);
                if (r != 0)
                        return r < 0 ? r : fail_by_rule(d, REASON_TARGET_MISSING, text);
                if (!target || !target->conf || !first_error(target->conf))
                        continue;
                r = fail_by_message(d, target->conf);
                return r < 0 ? r : copy_messages(target->conf, d->conf);
        }
        return 0;
}

static int check_one(const Configuration *c, JobDefinition *d) {
        int r;

        /* What is switched off needs nothing and is in nobody's way; its messages are shown all the same. */
        if (!d->config->enabled)
                return 0;
        if (first_error(d->conf))
                return fail_by_message(d, d->conf);
        r = check_targets(c, d);
        if (r < 0 || d->failure)
                return r;
        return check_identity(c, d);
}

/* Whether the target has one entry for all of a registry. */
static bool takes_registries(const Configuration *c, const char *target) {
        const TargetDefinition *d = target_set_find(c->targets, target);

        return d && d->config->keys == TARGET_KEYS_REGISTRY;
}

/* The job wants what another one has. */
static int fail_by_scope(const Configuration *c, JobDefinition *d, const char *scope, const char *target,
                         const char *holder) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (takes_registries(c, target))
                r = text_format(
                        &text,
                        "Target '%s' takes one credential for each registry, and that for '%s' is of "
                        "job '%s' already, take %s out of Targets= of one of the two jobs",
                        target, scope, holder, target);
        else
                r = text_format(
                        &text,
                        "The scope '%s' in target '%s' belongs to job '%s' already, give one of the two "
                        "jobs other Scopes= or Targets=",
                        scope, target, holder);
        return r < 0 ? r : fail_by_rule(d, REASON_SCOPE_CONFLICT, text);
}

/* One (scope, target) that a job claims. */
typedef struct Claim {
        const char *scope;
        const char *target;
        JobDefinition *job;
} Claim;

static int compare_claims(const void *x, const void *y) {
        const Claim *a = x, *b = y;
        int r;

        r = strcmp(a->scope, b->scope);
        if (r == 0)
                r = strcmp(a->target, b->target);
        /* Jobs lie in one array, sorted by name. */
        return r != 0 ? r : (a->job > b->job) - (a->job < b->job);
}

static void add_claims(const Configuration *c, JobDefinition *d, Claim *claims, size_t *n) {
        STRV_FOREACH(t, d->config->targets) {
                if (takes_registries(c, *t)) {
                        claims[(*n)++] = (Claim){ d->config->registry, *t, d };
                        continue;
                }
                STRV_FOREACH(s, d->config->scopes)
                        claims[(*n)++] = (Claim){ *s, *t, d };
        }
}

static int collect_claims(const Configuration *c, Claim **ret, size_t *ret_n) {
        size_t n = 0, room = 0;
        Claim *claims;

        for (size_t i = 0; i < c->n_jobs; i++)
                room += (strv_length(c->jobs[i].config->scopes) + 1) *
                        strv_length(c->jobs[i].config->targets);
        claims = calloc(room + 1, sizeof(*claims));
        if (!claims)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_jobs; i++)
                if (!c->jobs[i].failure && c->jobs[i].config->enabled)
                        add_claims(c, c->jobs + i, claims, &n);
        *ret = claims;
        *ret_n = n;
        return 0;
}

/* The first job by name keeps a scope that two want; the other says whom it lost it to. */
static int check_scopes(const Configuration *c) {
        _cleanup_free_ Claim *claims = NULL;
        const Claim *holder = NULL;
        size_t n = 0;
        int r;

        r = collect_claims(c, &claims, &n);
        if (r < 0)
                return r;
        qsort(claims, n, sizeof(*claims), compare_claims);
        for (size_t i = 0; i < n; i++) {
                if (!holder || !streq(holder->scope, claims[i].scope) ||
                    !streq(holder->target, claims[i].target)) {
                        holder = claims + i;
                        continue;
                }
                if (claims[i].job->failure)
                        continue;
                r = fail_by_scope(c, claims[i].job, holder->scope, holder->target,
                                  holder->job->config->name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_identities(const void *a, const void *b) {
        return strcmp(((const IdentityDefinition *) a)->config->name,
                      ((const IdentityDefinition *) b)->config->name);
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const JobDefinition *) a)->config->name, ((const JobDefinition *) b)->config->name);
}

int configuration_check(Configuration *c) {
        int r;

        r = target_set_check(c->targets);
        if (c->n_identities > 1)
                qsort(c->identities, c->n_identities, sizeof(*c->identities), compare_identities);
        if (c->n_jobs > 1)
                qsort(c->jobs, c->n_jobs, sizeof(*c->jobs), compare_jobs);
        for (size_t i = 0; i < c->n_jobs && r >= 0; i++)
                r = check_one(c, c->jobs + i);
        return r < 0 ? r : check_scopes(c);
}

static int visit_messages(const Conf *conf, const char *job, configuration_visit_t visit, void *userdata) {
        int r = 0;

        for (size_t i = 0; i < conf->n_messages && r == 0; i++) {
                const ConfMessage *m = conf->messages + i;

                /* A warning about its identity is that one's; an error keeps this job from working. */
                if (!job || m->severity == CONF_ERROR || strv_contains(conf->files, m->file))
                        r = visit(m, job, userdata);
        }
        return r;
}

int configuration_each_message(const Configuration *c, configuration_visit_t visit, void *userdata) {
        int r;

        r = visit_messages(c->messages, NULL, visit, userdata);
        for (size_t i = 0; i < c->targets->n && r == 0; i++)
                if (c->targets->items[i].conf)
                        r = visit_messages(c->targets->items[i].conf, NULL, visit, userdata);
        for (size_t i = 0; i < c->n_identities && r == 0; i++)
                r = visit_messages(c->identities[i].conf, NULL, visit, userdata);
        for (size_t i = 0; i < c->n_jobs && r == 0; i++)
                r = visit_messages(c->jobs[i].conf, c->jobs[i].config->name, visit, userdata);
        return r;
}

/* What both would have in the target. */
static const char *common_key(const Configuration *c, const JobConfig *a, const JobConfig *b,
                              const char *target) {
        if (takes_registries(c, target))
                return streq_ptr(a->registry, b->registry) ? a->registry : NULL;
        return strv_common(a->scopes, b->scopes);
}

/* A job that is there keeps what it has, whatever the names are. */
static int check_scopes_of_one(const Configuration *c, JobDefinition *d, const JobConfig *const *others,
                               size_t n_others) {
        for (size_t i = 0; i < n_others; i++)
                STRV_FOREACH(t, d->config->targets) {
                        const char *key = strv_contains(others[i]->targets, *t)
                                                  ? common_key(c, d->config, others[i], *t)
                                                  : NULL;

                        if (key)
                                return fail_by_scope(c, d, key, *t, others[i]->name);
                }
        return 0;
}

int configuration_define_job(const Configuration *c, const char *name, Conf *conf,
                             const JobConfig *const *others, size_t n_others, JobDefinition *ret) {
        _cleanup_(job_definition_done) JobDefinition d = { .conf = conf };
        int r;

        r = job_config_new(name, conf, c->daemon ? &c->daemon->job_defaults : NULL, &d.config);
        if (r < 0)
                return r;
        conf_forget_assignments(conf);
        r = check_one(c, &d);
        if (r >= 0 && !d.failure && d.config->enabled)
                r = check_scopes_of_one(c, &d, others, n_others);
        if (r < 0)
                return r;
        *ret = d;
        d = (JobDefinition){};
        return 0;
}
