/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is built in, and from the assignments of a *.target file to a TargetConfig.
 *
 * Owns the table of built-in targets and the table of keys of that kind of file. Opens no file and asks for
 * no user: whether what is named exists shows when it is written. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/template.h"
#include "model/config-value.h"
#include "model/name.h"
#include "model/target-config.h"
#include "model/unit-peer.h"

/* Below the home of a user: where all tools of containers/image look second, with a session or without. */
#define USER_PATH ".config/containers/auth.json"
#define MODE_DEFAULT 0600
#define VARIABLES_MAX 64
#define RELOAD_UNITS_MAX 16

/* Each row is a place that some tool reads by itself (containers-auth.json(5)) or that administrators point
 * tools at. */
static const struct Builtin {
        const char *name;
        const char *paths[2];
        mode_t directory_mode;
        TargetKeys keys;
        const char *bases[2];
} builtin[] = {
        /* What REGISTRY_AUTH_FILE= and AuthFile= point at; no tool reads it unasked. */
        { "system", { "/etc/containers/auth.json" }, 0755, TARGET_KEYS_SCOPES },
        /* Where rootful podman, buildah and skopeo look when nothing is configured: first without
         * XDG_RUNTIME_DIR, as in system services, and second with it, as in a session. What is first there
         * comes and goes with the session. */
        { "podman", { "/run/containers/0/auth.json", "~root/" USER_PATH }, 0700, TARGET_KEYS_SCOPES },
        /* The first of three places of which bootc and rpm-ostree read one. */
        { "bootc",
          { "/run/ostree/auth.json" },
          0755,
          TARGET_KEYS_SCOPES,
          { "/etc/ostree/auth.json", "/usr/lib/ostree/auth.json" } },
        /* For global_auth_file of crio.conf(5). */
        { "crio", { "/etc/crio/pullauth.json" }, 0, TARGET_KEYS_SCOPES },
        /* MicroShift's global_auth_file. Its telemetry reads an entry of its own in it. */
        { "microshift", { "/etc/crio/openshift-pull-secret" }, 0, TARGET_KEYS_SCOPES },
        /* The first of the places where a kubelet looks. */
        { "kubelet", { "/var/lib/kubelet/config.json" }, 0, TARGET_KEYS_SCOPES },
        /* Of root's docker command, which asks for hosts alone. */
        { "docker", { "~root/.docker/config.json" }, 0700, TARGET_KEYS_REGISTRY },
        /* For auth_file_path of osbuild-worker.toml. */
        { "image-builder", { "/etc/osbuild-worker/pullauth.json" }, 0, TARGET_KEYS_SCOPES },
};

static const char *const keys_table[_TARGET_KEYS_MAX] = {
        [TARGET_KEYS_SCOPES] = "scopes",
        [TARGET_KEYS_REGISTRY] = "registry",
};

static const char *const policy_table[_TARGET_POLICY_MAX] = {
        [TARGET_POLICY_MERGE] = "merge",
        [TARGET_POLICY_OWN] = "own",
};

const char *target_policy_to_string(TargetPolicy p) {
        return p >= 0 && p < _TARGET_POLICY_MAX ? policy_table[p] : NULL;
}

TargetPolicy target_policy_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(policy_table); i++)
                if (streq_ptr(s, policy_table[i]))
                        return (TargetPolicy) i;
        return _TARGET_POLICY_INVALID;
}

const char *target_keys_to_string(TargetKeys k) {
        return k >= 0 && k < _TARGET_KEYS_MAX ? keys_table[k] : NULL;
}

TargetKeys target_keys_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(keys_table); i++)
                if (streq_ptr(s, keys_table[i]))
                        return (TargetKeys) i;
        return _TARGET_KEYS_INVALID;
}

int target_path_split(const char *path, char **ret_user, const char **ret_rest) {
        const char *slash = strchr(path, '/');

        if (path[0] != '~' || !slash)
                return 0;
        *ret_user = strndup(path + 1, (size_t) (slash - path - 1));
        *ret_rest = slash + 1;
        return *ret_user ? 1 : -ENOMEM;
}

const char *target_template_directory(size_t i) {
        static const char *const directories[] = { "/etc/pullauth/templates", "/run/pullauth/templates",
                                                   "/usr/lib/pullauth/templates" };

        return i < ELEMENTSOF(directories) ? directories[i] : NULL;
}

bool target_path_is_persistent(const char *path) {
        return !startswith(path, "/run/");
}

char *const *target_config_keys(const TargetConfig *t, const JobConfig *job, size_t *ret_n) {
        if (t->keys == TARGET_KEYS_REGISTRY) {
                *ret_n = job->registry ? 1 : 0;
                return &job->registry;
        }
        *ret_n = strv_length(job->scopes);
        return job->scopes;
}

TargetConfig *target_config_free(TargetConfig *t) {
        if (!t || t->n_more-- > 0)
                return NULL;
        free(t->name);
        strv_free(t->paths);
        strv_free(t->bases);
        free(t->owner);
        free(t->group);
        free(t->template);
        strv_free(t->variables);
        strv_free(t->reload_units);
        cluster_config_free(t->cluster);
        free(t);
        return NULL;
}

TargetConfig *target_config_share(TargetConfig *t) {
        t->n_more++;
        return t;
}

bool target_config_equal(const TargetConfig *a, const TargetConfig *b) {
        return streq_ptr(a->name, b->name) && strv_equal(a->paths, b->paths) &&
               strv_equal(a->bases, b->bases) && streq_ptr(a->owner, b->owner) &&
               streq_ptr(a->group, b->group) && a->mode == b->mode &&
               a->directory_mode == b->directory_mode && a->keys == b->keys && a->policy == b->policy &&
               streq_ptr(a->template, b->template) && strv_equal(a->variables, b->variables) &&
               a->quote == b->quote && strv_equal(a->reload_units, b->reload_units) &&
               cluster_config_equal(a->cluster, b->cluster);
}

const char *target_config_builtin(size_t i) {
        return i < ELEMENTSOF(builtin) ? builtin[i].name : NULL;
}

static const struct Builtin *find_builtin(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(builtin); i++)
                if (streq(builtin[i].name, name))
                        return builtin + i;
        return NULL;
}

/* With one path, or none yet. */
static int make(const char *name, const char *path, TargetConfig **ret) {
        _cleanup_(target_config_freep) TargetConfig *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->mode = MODE_DEFAULT;
        r = free_and_strdup(&t->name, name);
        if (r >= 0 && path)
                r = strv_append(&t->paths, path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

int target_config_new_orphan(const char *path, TargetConfig **ret) {
        return make(path, path, ret);
}

/* No target can be called like a path. */
bool target_config_is_orphan(const TargetConfig *t) {
        return !target_name_is_valid(t->name);
}

static int make_of_user(const char *name, TargetConfig **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_format(&path, "~%s/" USER_PATH, target_name_user(name));
        if (r >= 0)
                r = make(name, path, ret);
        if (r < 0)
                return r;
        (*ret)->directory_mode = 0700;
        return 1;
}

int target_config_default(const char *name, TargetConfig **ret) {
        _cleanup_(target_config_freep) TargetConfig *t = NULL;
        const struct Builtin *b = find_builtin(name);
        int r;

        if (!b)
                return target_name_user(name) ? make_of_user(name, ret) : 0;
        r = make(name, NULL, &t);
        for (size_t i = 0; i < ELEMENTSOF(b->paths) && b->paths[i] && r >= 0; i++)
                r = strv_append(&t->paths, b->paths[i]);
        for (size_t i = 0; i < ELEMENTSOF(b->bases) && b->bases[i] && r >= 0; i++)
                r = strv_append(&t->bases, b->bases[i]);
        if (r < 0)
                return r;
        t->directory_mode = b->directory_mode;
        t->keys = b->keys;
        *ret = TAKE_PTR(t);
        return 1;
}

static int set_path(const ConfAssignment *a, void *userdata, char **reterr) {
        _cleanup_free_ char *path = NULL;
        TargetConfig *t = userdata;
        int r;

        t->paths = strv_free(t->paths);
        t->bases = strv_free(t->bases);
        /* What is made for a place that is known need not be right for another one. */
        t->directory_mode = 0;
        r = config_set_path(a, &path, reterr);
        if (r != 0 || !path)
                return r;
        return strv_append(&t->paths, path);
}

/* A name or a number; who it is shows when the file is made. */
static int take_account(const ConfAssignment *a, char **p, char **reterr) {
        int r;

        if (!isempty(a->value) && !object_name_is_valid(a->value)) {
                free(TAKE_PTR(*p));
                return config_complain(reterr, "%s=%s is not valid, write for example %s=root", a->key,
                                       a->value, a->key);
        }
        r = free_and_strdup(p, isempty(a->value) ? NULL : a->value);
        return r < 0 ? r : 0;
}

static int set_owner(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;

        return take_account(a, &t->owner, reterr);
}

static int set_group(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;

        return take_account(a, &t->group, reterr);
}

static int set_mode(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;
        mode_t mode;

        t->mode = MODE_DEFAULT;
        if (isempty(a->value))
                return 0;
        if (parse_mode(a->value, &mode) < 0 || mode & 07133 || !(mode & 0400))
                return config_complain(
                        reterr, "Mode=%s is no mode, or lets others write, write for example Mode=0640",
                        a->value);
        t->mode = mode;
        return 0;
}

static int set_keys(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetKeys k = isempty(a->value) ? TARGET_KEYS_SCOPES : target_keys_from_string(a->value);
        TargetConfig *t = userdata;

        if (k < 0)
                return config_complain(reterr, "Keys=%s is neither scopes nor registry", a->value);
        t->keys = k;
        return 0;
}

static int set_policy(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetPolicy p = isempty(a->value) ? TARGET_POLICY_MERGE : target_policy_from_string(a->value);
        TargetConfig *t = userdata;

        if (p < 0)
                return config_complain(reterr, "Policy=%s is neither merge nor own", a->value);
        t->policy = p;
        t->policy_set = !isempty(a->value);
        return 0;
}

/* A name is looked for where templates are. */
static int set_template(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;

        if (a->value[0] == '/')
                return config_set_path(a, &t->template, reterr);
        free(TAKE_PTR(t->template));
        if (!isempty(a->value) && (!object_name_is_valid(a->value)))
                return config_complain(reterr,
                                       "Template=%s is neither a path nor a name, write for example "
                                       "Template=secret.yaml",
                                       a->value);
        return isempty(a->value) ? 0 : free_and_strdup(&t->template, a->value) < 0 ? -ENOMEM : 0;
}

static int set_quote(const ConfAssignment *a, void *userdata, char **reterr) {
        QuotingLanguage l = isempty(a->value) ? QUOTING_PLAIN : quoting_from_string(a->value);
        TargetConfig *t = userdata;

        t->quote_set = false;
        if (l < 0)
                return config_complain(reterr, "Quote=%s is none of plain, json, yaml, toml and shell",
                                       a->value);
        t->quote = l;
        t->quote_set = !isempty(a->value);
        return 0;
}

static int set_variable(const ConfAssignment *a, void *userdata, char **reterr) {
        const char *equals = strchr(a->value, '=');
        _cleanup_free_ char *name = NULL;
        TargetConfig *t = userdata;

        if (isempty(a->value)) {
                t->variables = strv_free(t->variables);
                return 0;
        }
        name = equals ? strndup(a->value, (size_t) (equals - a->value)) : strdup("");
        if (!name)
                return -ENOMEM;
        if (!template_variable_is_valid(name))
                return config_complain(
                        reterr, "Variable=%s is not valid, write for example Variable=name=edge", a->value);
        if (strv_length(t->variables) >= VARIABLES_MAX)
                return config_complain(reterr, "There are more than %d Variable=", VARIABLES_MAX);
        /* The last one counts. */
        for (size_t i = 0; t->variables && t->variables[i]; i++) {
                const char *rest = startswith(t->variables[i], name);

                if (rest && rest[0] == '=')
                        return free_and_strdup(t->variables + i, a->value) < 0 ? -ENOMEM : 0;
        }
        return strv_append(&t->variables, a->value);
}

static int set_reload_unit(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;

        return config_append_words(a, &t->reload_units, unit_name_is_valid, RELOAD_UNITS_MAX, "app.service",
                                   reterr);
}

/* What Quote= is if nobody says it. */
static QuotingLanguage language_of_path(const char *path) {
        static const struct {
                const char *suffix;
                QuotingLanguage language;
        } table[] = {
                { ".json", QUOTING_JSON }, { ".yaml", QUOTING_YAML }, { ".yml", QUOTING_YAML },
                { ".toml", QUOTING_TOML }, { ".env", QUOTING_SHELL }, { ".sh", QUOTING_SHELL },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (endswith(path, table[i].suffix))
                        return table[i].language;
        return QUOTING_PLAIN;
}

/* All of section [Kubernetes]. */
static int set_cluster(const ConfAssignment *a, void *userdata, char **reterr) {
        TargetConfig *t = userdata;
        int r;

        r = t->cluster ? 0 : cluster_config_new(&t->cluster);
        return r < 0 ? r : cluster_config_set(t->cluster, a, reterr);
}

/* A Secret is no file: what is said of files would be a mistake, and so would both at once. */
static int check_cluster(TargetConfig *t, Conf *conf) {
        char *place = NULL;
        int r;

        if (!t->cluster)
                return 0;
        r = cluster_config_check(t->cluster, conf);
        if (r < 0 || conf_has_error(conf))
                return r;
        if (t->paths || t->template || t->owner || t->group || t->mode != MODE_DEFAULT || t->policy_set)
                return conf_add_message(
                        conf, CONF_ERROR, config_main_file(conf), 0,
                        "Section [Kubernetes] is for a target that is no file: take Path=, Owner=, "
                        "Group=, Mode=, Policy= and Template= out, and give it a name of its own");
        r = cluster_config_place(t->cluster, &place);
        return r < 0 ? r : strv_consume(&t->paths, place);
}

static int check_template(TargetConfig *t, Conf *conf) {
        if (t->template) {
                if (t->policy_set && t->policy == TARGET_POLICY_MERGE)
                        return conf_add_message(
                                conf, CONF_ERROR, config_main_file(conf), 0,
                                "Policy=merge is not possible: the file of a template has no "
                                "room for others, take out Policy= or Template=");
                t->policy = TARGET_POLICY_OWN;
                if (!t->quote_set)
                        t->quote = language_of_path(t->template);
                return 0;
        }
        if (!t->variables && !t->quote_set)
                return 0;
        return conf_add_message(
                conf, CONF_WARNING, config_main_file(conf), 0,
                "Quote= and Variable= are for templates, without Template= they are ignored");
}

static const ConfKey target_keys[] = {
        { "Target", "Path", set_path },
        { "Target", "Owner", set_owner },
        { "Target", "Group", set_group },
        { "Target", "Mode", set_mode },
        { "Target", "Keys", set_keys },
        { "Target", "Template", set_template },
        { "Target", "Quote", set_quote },
        { "Target", "Variable", set_variable },
        { "Target", "Policy", set_policy },
        { "Target", "ReloadUnit", set_reload_unit },
        { "Kubernetes", "Secret", set_cluster },
        { "Kubernetes", "Namespace", set_cluster },
        { "Kubernetes", "Create", set_cluster },
        { "Kubernetes", "Delete", set_cluster },
        { "Kubernetes", "Label", set_cluster },
        { "Kubernetes", "Annotation", set_cluster },
        { "Kubernetes", "Server", set_cluster },
        { "Kubernetes", "TokenFile", set_cluster },
        { "Kubernetes", "ClientCertificateFile", set_cluster },
        { "Kubernetes", "ClientKeyFile", set_cluster },
        { "Kubernetes", "Kubeconfig", set_cluster },
        { "Kubernetes", "Context", set_cluster },
        { "Kubernetes", "InCluster", set_cluster },
        { "Kubernetes", "CAFile", set_cluster },
        { "Kubernetes", "Proxy", set_cluster },
};

int target_config_new(const char *name, Conf *conf, TargetConfig **ret) {
        _cleanup_(target_config_freep) TargetConfig *t = NULL;
        int r;

        r = target_config_default(name, &t);
        if (r == 0)
                r = make(name, NULL, &t);
        if (r >= 0)
                r = conf_apply(conf, target_keys, ELEMENTSOF(target_keys), t);
        if (r >= 0)
                r = check_template(t, conf);
        if (r >= 0)
                r = check_cluster(t, conf);
        if (r >= 0 && !t->paths && !conf_has_error(conf))
                r = conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                     "Path= is missing in section [Target], add for example "
                                     "Path=/etc/containers/%s.json",
                                     name);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}
