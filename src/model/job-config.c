/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of a *.job file to a JobConfig with every default filled in.
 *
 * Owns the table of keys of that kind of file. Knows no other job, identity or target: whether the names in
 * it exist is for whoever holds them all. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/config-value.h"
#include "model/job-config.h"
#include "model/name.h"
#include "model/unit-peer.h"

#define MINIMUM_REMAINING_MIN (1 * USEC_PER_SEC)
#define MINIMUM_REMAINING_MAX (7 * USEC_PER_DAY)
#define SCOPES_MAX 64
#define TARGETS_MAX 16
#define UNITS_MAX 64
#define POD_ROBOTS_MAX 64
/* Of Proxy=: none, whatever pullauthd.conf says. */
#define PROXY_NONE "none"

/* A job under construction: scopes stay relative until the registry is known. */
typedef struct Draft {
        JobConfig *config;
        char **scope_paths;
        char *robot, *username; /* the exchange says which of them counts */
} Draft;

static const char *const on_remove_table[_ON_REMOVE_MAX] = {
        [ON_REMOVE_WITHDRAW] = "withdraw",
        [ON_REMOVE_RETAIN] = "retain",
};

const char *on_remove_to_string(OnRemove r) {
        return r >= 0 && r < _ON_REMOVE_MAX ? on_remove_table[r] : NULL;
}

OnRemove on_remove_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(on_remove_table); i++)
                if (streq_ptr(s, on_remove_table[i]))
                        return (OnRemove) i;
        return _ON_REMOVE_INVALID;
}

static const char *const on_expiry_table[_ON_EXPIRY_MAX] = {
        [ON_EXPIRY_WITHDRAW] = "withdraw",
        [ON_EXPIRY_RETAIN] = "retain",
};

const char *on_expiry_to_string(OnExpiry e) {
        return e >= 0 && e < _ON_EXPIRY_MAX ? on_expiry_table[e] : NULL;
}

OnExpiry on_expiry_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(on_expiry_table); i++)
                if (streq_ptr(s, on_expiry_table[i]))
                        return (OnExpiry) i;
        return _ON_EXPIRY_INVALID;
}

/* Clears what an earlier line set as well, so that a wrong later line does not leave a half-true job. */
static int take_name(const ConfAssignment *a, char **p, bool (*is_valid)(const char *), const char *example,
                     char **reterr) {
        bool valid = isempty(a->value) || is_valid(a->value);
        int r;

        r = free_and_strdup(p, valid && !isempty(a->value) ? a->value : NULL);
        if (r < 0)
                return r;
        if (!valid)
                return config_complain(reterr, "%s=%s is not valid, write for example %s=%s", a->key,
                                       a->value, a->key, example);
        return 0;
}

static int set_enabled(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_set_bool(a, &d->config->enabled, /* reset_to= */ true, reterr);
}

static int set_registry(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        if (startswith(a->value, "https://") || startswith(a->value, "http://"))
                return config_complain(reterr,
                                       "Registry=%s is a URL, write the host alone, for example "
                                       "Registry=quay.example.com",
                                       a->value);
        return take_name(a, &d->config->registry, registry_is_valid, "quay.example.com", reterr);
}

static int set_robot(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return take_name(a, &d->robot, robot_is_valid, "organization+robot", reterr);
}

static int set_username(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return take_name(a, &d->username, user_is_valid, "serviceaccount", reterr);
}

static int set_exchange(const ConfAssignment *a, void *userdata, char **reterr) {
        _cleanup_free_ char *names = NULL;
        Draft *d = userdata;
        ExchangeKind k = isempty(a->value) ? EXCHANGE_QUAY : exchange_kind_from_string(a->value);
        int r;

        d->config->exchange = k >= 0 ? k : EXCHANGE_QUAY;
        if (k >= 0)
                return 0;
        r = exchange_kind_names(&names);
        if (r < 0)
                return r;
        return config_complain(reterr, "Exchange=%s is no known exchange, use one of: %s", a->value, names);
}

static int set_identity(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return take_name(a, &d->config->identity, object_name_is_valid, "default", reterr);
}

static bool scope_word_is_valid(const char *s) {
        return streq(s, "*") || scope_path_is_valid(s);
}

static int set_scopes(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_append_words(a, &d->scope_paths, scope_word_is_valid, SCOPES_MAX, "acme acme/app",
                                   reterr);
}

int job_config_set_targets(const ConfAssignment *a, char ***p, char **reterr) {
        return config_append_words(a, p, target_name_is_valid, TARGETS_MAX, "system podman", reterr);
}

int job_config_set_proxy(const ConfAssignment *a, char **p, char **reterr) {
        if (!isempty(a->value) && !startswith(a->value, "http://") && !startswith(a->value, "https://"))
                return config_complain(reterr,
                                       "%s=%s is no URL, write for example %s=http://proxy.example.com:3128",
                                       a->key, a->value, a->key);
        return config_set_token(a, p, reterr);
}

int job_config_set_minimum_remaining(const ConfAssignment *a, usec_t *p, char **reterr) {
        return config_set_span(a, p, MINIMUM_REMAINING_MIN, MINIMUM_REMAINING_MAX, "20min", reterr);
}

static int set_targets(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return job_config_set_targets(a, &d->config->targets, reterr);
}

static int set_units(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_append_words(a, &d->config->units, unit_pattern_is_valid, UNITS_MAX,
                                   "app.service worker@*.service", reterr);
}

static int set_pod_robots(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_append_words(a, &d->config->pod_robots, robot_pattern_is_valid, POD_ROBOTS_MAX,
                                   "acme+pull shop+*", reterr);
}

static int set_ca_file(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_set_path(a, &d->config->ca_file, reterr);
}

static int set_proxy(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        if (streq(a->value, PROXY_NONE))
                return config_set_token(a, &d->config->proxy, reterr);
        return job_config_set_proxy(a, &d->config->proxy, reterr);
}

static int set_take_over(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_set_bool(a, &d->config->take_over, /* reset_to= */ false, reterr);
}

static int set_on_expiry(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;
        OnExpiry v = isempty(a->value) ? ON_EXPIRY_WITHDRAW : on_expiry_from_string(a->value);

        if (v < 0)
                return config_complain(reterr, "OnExpiry=%s is neither withdraw nor retain", a->value);
        d->config->on_expiry = v;
        return 0;
}

static int set_wake_system(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return config_set_bool(a, &d->config->wake_system, /* reset_to= */ false, reterr);
}

static int set_on_remove(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;
        OnRemove v = isempty(a->value) ? ON_REMOVE_WITHDRAW : on_remove_from_string(a->value);

        if (v < 0)
                return config_complain(reterr, "OnRemove=%s is neither withdraw nor retain", a->value);
        d->config->on_remove = v;
        return 0;
}

static int set_minimum_remaining(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return job_config_set_minimum_remaining(a, &d->config->minimum_remaining, reterr);
}

static int set_exchange_setting(const ConfAssignment *a, void *userdata, char **reterr) {
        Draft *d = userdata;

        return settings_take(&d->config->exchange_settings, exchange_key_find(a->key), a, reterr);
}

static const ConfKey job_keys[] = {
        { "Job", "Enabled", set_enabled },
        { "Job", "Registry", set_registry },
        { "Job", "Exchange", set_exchange },
        { "Job", "Robot", set_robot },
        { "Job", "Username", set_username },
        { "Job", "Identity", set_identity },
        { "Job", "Scopes", set_scopes },
        { "Job", "Targets", set_targets },
        { "Job", "Units", set_units },
        { "Job", "PodRobots", set_pod_robots },
        { "Job", "CAFile", set_ca_file },
        { "Job", "Proxy", set_proxy },
        { "Job", "TakeOver", set_take_over },
        { "Job", "OnExpiry", set_on_expiry },
        { "Job", "WakeSystem", set_wake_system },
        { "Job", "OnRemove", set_on_remove },
        { "Job", "MinimumRemaining", set_minimum_remaining },
};

JobConfig *job_config_free(JobConfig *c) {
        if (!c)
                return NULL;
        free(c->name);
        free(c->registry);
        free(c->robot);
        strv_free(c->exchange_settings);
        free(c->identity);
        strv_free(c->scopes);
        strv_free(c->targets);
        strv_free(c->units);
        strv_free(c->pod_robots);
        free(c->ca_file);
        free(c->proxy);
        strv_free(c->files);
        free(c);
        return NULL;
}

static int add_scope(JobConfig *c, const char *path) {
        _cleanup_free_ char *key = NULL;
        int r;

        r = streq(path, "*") ? text_format(&key, "%s", c->registry)
                             : text_format(&key, "%s/%s", c->registry, path);
        return r < 0 ? r : strv_consume(&c->scopes, TAKE_PTR(key));
}

static int fill_scopes(JobConfig *c, char *const *paths, Conf *conf) {
        _cleanup_free_ char *namespace = NULL;
        int r;

        STRV_FOREACH(p, paths) {
                r = add_scope(c, *p);
                if (r < 0)
                        return r;
        }
        if (paths && paths[0])
                return 0;
        if (c->exchange != EXCHANGE_QUAY)
                return add_scope(c, "*");
        r = robot_namespace(c->robot, &namespace);
        if (r < 0)
                return r;
        if (!scope_path_is_valid(namespace))
                return conf_add_message(
                        conf, CONF_ERROR, config_main_file(conf), 0,
                        "Scopes= is missing, and the robot's namespace '%s' can be none: name "
                        "the namespace in lower case, for example Scopes=acme",
                        namespace);
        return add_scope(c, namespace);
}

static int fill_targets(JobConfig *c, char *const *defaults) {
        int r;

        if (c->targets && c->targets[0])
                return 0;
        if (defaults && defaults[0]) {
                c->targets = strv_free(c->targets);
                return strv_copy(defaults, &c->targets);
        }
        r = strv_append(&c->targets, "system");
        return r < 0 ? r : strv_append(&c->targets, "podman");
}

static int fill_defaults(JobConfig *c, const JobDefaults *defaults) {
        int r = 0;

        if (!c->identity)
                r = free_and_strdup(&c->identity, "default");
        if (r >= 0)
                r = fill_targets(c, defaults ? defaults->targets : NULL);
        if (r >= 0 && (!c->proxy || streq(c->proxy, PROXY_NONE)))
                r = free_and_strdup(&c->proxy, !c->proxy && defaults ? defaults->proxy : NULL);
        if (c->minimum_remaining == 0 && defaults)
                c->minimum_remaining = defaults->minimum_remaining;
        return r < 0 ? r : 0;
}

static int complain_missing(Conf *conf, const char *key, const char *example) {
        return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                "%s= is missing in section [Job], add for example %s=%s", key, key, example);
}

/* A key whose last line did set it, but wrongly, has its own message already. */
static bool was_assigned(const Conf *conf, const char *key) {
        bool assigned = false;

        for (size_t i = 0; i < conf->n_assignments; i++)
                if (streq(conf->assignments[i].key, key))
                        assigned = !isempty(conf->assignments[i].value);
        return assigned;
}

/* Of a file that could not be read nobody knows what is missing in it. */
static bool is_unread(const Conf *conf) {
        for (size_t i = 0; i < conf->n_messages; i++)
                if (conf->messages[i].severity == CONF_ERROR && conf->messages[i].line == 0)
                        return true;
        return false;
}

/* Which of the two names a user is for the exchange to say; the other one does no harm, but whoever wrote it
 * thought that it would do something. */
static int choose_user(Draft *d, Conf *conf) {
        bool quay = d->config->exchange == EXCHANGE_QUAY;
        const char *exchange = exchange_kind_to_string(d->config->exchange);

        d->config->robot = quay ? TAKE_PTR(d->robot) : TAKE_PTR(d->username);
        if (quay ? !d->username : !d->robot)
                return 0;
        return conf_add_message(conf, CONF_WARNING, config_main_file(conf), 0,
                                "%s= means nothing with Exchange=%s, which takes %s=, ignoring",
                                quay ? "Username" : "Robot", exchange, quay ? "Robot" : "Username");
}

static int check_complete(const JobConfig *c, Conf *conf) {
        int r = 0;

        if (is_unread(conf))
                return 0;
        if (!c->registry && !was_assigned(conf, "Registry"))
                r = complain_missing(conf, "Registry", "quay.example.com");
        if (r < 0 || c->robot)
                return r;
        if (c->exchange != EXCHANGE_QUAY)
                return was_assigned(conf, "Username") ? 0
                                                      : complain_missing(conf, "Username", "serviceaccount");
        return was_assigned(conf, "Robot") ? 0 : complain_missing(conf, "Robot", "organization+robot");
}

/* The rows that conf_apply() wants, those of the exchange from its table. */
static int apply(Conf *conf, Draft *d) {
        _cleanup_free_ ConfKey *rows = NULL;
        const SettingKey *keys;
        size_t n;

        keys = exchange_key_all(&n);
        rows = calloc(ELEMENTSOF(job_keys) + n, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        memcpy(rows, job_keys, sizeof(job_keys));
        for (size_t i = 0; i < n; i++)
                rows[ELEMENTSOF(job_keys) + i] = (ConfKey){ "Exchange", keys[i].key, set_exchange_setting };
        return conf_apply(conf, rows, ELEMENTSOF(job_keys) + n, d);
}

int job_config_new(const char *name, Conf *conf, const JobDefaults *defaults, JobConfig **ret) {
        _cleanup_(job_config_freep) JobConfig *c = NULL;
        _cleanup_strv_ char **scope_paths = NULL;
        Draft d;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = free_and_strdup(&c->name, name);
        if (r < 0)
                return r;
        c->enabled = true;
        d = (Draft){ .config = c };
        r = apply(conf, &d);
        scope_paths = d.scope_paths;
        if (r >= 0)
                r = choose_user(&d, conf);
        if (r >= 0 && !conf_has_error(conf))
                r = exchange_settings_check(c->exchange, c->exchange_settings, conf);
        free(d.robot);
        free(d.username);
        if (r >= 0)
                r = fill_defaults(c, defaults);
        if (r >= 0)
                r = check_complete(c, conf);
        if (r >= 0 && c->registry && c->robot)
                r = fill_scopes(c, scope_paths, conf);
        if (r >= 0)
                r = strv_copy(conf->files, &c->files);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

bool job_config_equal(const JobConfig *a, const JobConfig *b) {
        return streq_ptr(a->name, b->name) && a->enabled == b->enabled && a->exchange == b->exchange &&
               strv_equal(a->exchange_settings, b->exchange_settings) &&
               streq_ptr(a->registry, b->registry) && streq_ptr(a->robot, b->robot) &&
               streq_ptr(a->identity, b->identity) && strv_equal(a->scopes, b->scopes) &&
               strv_equal(a->targets, b->targets) && strv_equal(a->units, b->units) &&
               strv_equal(a->pod_robots, b->pod_robots) && streq_ptr(a->ca_file, b->ca_file) &&
               streq_ptr(a->proxy, b->proxy) && a->take_over == b->take_over &&
               a->on_remove == b->on_remove && a->on_expiry == b->on_expiry &&
               a->wake_system == b->wake_system && a->minimum_remaining == b->minimum_remaining;
}
