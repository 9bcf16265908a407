/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the assignments of section [Kubernetes] to a ClusterConfig.
 *
 * Owns the policies and what may be written into a Secret beside the credentials. How a cluster is reached
 * is said by keys that identities have as well, and checked by their rules (model/identity-config). Reads no
 * file. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/cluster-config.h"
#include "model/cluster-secret.h"
#include "model/config-value.h"

#define PAIRS_MAX 32
#define VALUE_MAX 4096

static const char *const create_table[_CLUSTER_CREATE_MAX] = {
        [CLUSTER_OWNER] = "owner",
        [CLUSTER_MERGE] = "merge",
        [CLUSTER_ORPHAN] = "orphan",
};

const char *cluster_create_to_string(ClusterCreate c) {
        return c >= 0 && c < _CLUSTER_CREATE_MAX ? create_table[c] : NULL;
}

ClusterCreate cluster_create_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(create_table); i++)
                if (streq_ptr(s, create_table[i]))
                        return (ClusterCreate) i;
        return _CLUSTER_CREATE_INVALID;
}

int cluster_config_new(ClusterConfig **ret) {
        _cleanup_(cluster_config_freep) ClusterConfig *c = NULL;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->access = calloc(1, sizeof(*c->access));
        if (!c->access)
                return -ENOMEM;
        c->access->source = IDENTITY_KUBERNETES;
        *ret = TAKE_PTR(c);
        return 0;
}

ClusterConfig *cluster_config_free(ClusterConfig *c) {
        if (!c)
                return NULL;
        free(c->secret);
        strv_free(c->labels);
        strv_free(c->annotations);
        identity_config_free(c->access);
        free(c);
        return NULL;
}

bool cluster_config_equal(const ClusterConfig *a, const ClusterConfig *b) {
        if (!a || !b)
                return a == b;
        return streq_ptr(a->secret, b->secret) && a->create == b->create && a->retain == b->retain &&
               strv_equal(a->labels, b->labels) && strv_equal(a->annotations, b->annotations) &&
               identity_config_equal(a->access, b->access);
}

static int set_secret(ClusterConfig *c, const ConfAssignment *a, char **reterr) {
        free(TAKE_PTR(c->secret));
        if (isempty(a->value))
                return 0;
        if (!cluster_name_is_valid(a->value))
                return config_complain(
                        reterr, "Secret=%s is no name of a Secret, write for example Secret=quay-pull",
                        a->value);
        return free_and_strdup(&c->secret, a->value) < 0 ? -ENOMEM : 0;
}

static int set_create(ClusterConfig *c, const ConfAssignment *a, char **reterr) {
        ClusterCreate create = isempty(a->value) ? CLUSTER_OWNER : cluster_create_from_string(a->value);

        if (create < 0)
                return config_complain(reterr, "Create=%s is none of owner, merge and orphan", a->value);
        c->create = create;
        return 0;
}

static int set_delete(ClusterConfig *c, const ConfAssignment *a, char **reterr) {
        c->retain = streq(a->value, "retain");
        if (c->retain || isempty(a->value) || streq(a->value, "delete"))
                return 0;
        return config_complain(reterr, "Delete=%s is neither delete nor retain", a->value);
}

/* The last one of a name counts. Returns 0 or -ENOMEM. */
static int add_pair(char ***pairs, const char *name, const char *value) {
        int r;

        for (char **p = *pairs; p && p[0]; p += 2)
                if (streq(p[0], name))
                        return free_and_strdup(p + 1, value) < 0 ? -ENOMEM : 0;
        r = strv_append(pairs, name);
        return r < 0 ? r : strv_append(pairs, value);
}

/* Who manages the Secret and for whom is for us to say. */
static bool is_reserved(const char *name) {
        return streq(name, CLUSTER_LABEL_MANAGER) || startswith(name, "pullauth.org/");
}

static int set_pair(const ConfAssignment *a, bool label, char ***pairs, char **reterr) {
        const char *equals = strchr(a->value, '=');
        _cleanup_free_ char *name = NULL;
        int r;

        if (isempty(a->value)) {
                *pairs = strv_free(*pairs);
                return 0;
        }
        name = equals ? strndup(a->value, (size_t) (equals - a->value)) : strdup("");
        if (!name)
                return -ENOMEM;
        if (!equals || !cluster_key_is_valid(name) || strlen(equals) > VALUE_MAX ||
            (label && !cluster_label_is_valid(equals + 1)))
                return config_complain(reterr, "%s=%s is not valid, write for example %s", a->key, a->value,
                                       label ? "Label=team=edge"
                                             : "Annotation=tekton.dev/docker-0=https://quay.example.com");
        if (is_reserved(name))
                return config_complain(reterr, "%s=%s: pullauthd sets '%s' itself", a->key, a->value, name);
        r = add_pair(pairs, name, equals + 1);
        if (r < 0)
                return r;
        return strv_length(*pairs) / 2 <= PAIRS_MAX
                       ? 0
                       : config_complain(reterr, "There are more than %d %s=", PAIRS_MAX, a->key);
}

static int set_access(ClusterConfig *c, const ConfAssignment *a, char **reterr) {
        if (streq(a->key, "Namespace") && !isempty(a->value) && !cluster_name_is_valid(a->value))
                return config_complain(
                        reterr, "Namespace=%s is no name of a namespace, write for example Namespace=edge",
                        a->value);
        return settings_take(&c->access->settings, identity_key_find(a->key), a, reterr);
}

int cluster_config_set(ClusterConfig *c, const ConfAssignment *a, char **reterr) {
        if (streq(a->key, "Secret"))
                return set_secret(c, a, reterr);
        if (streq(a->key, "Create"))
                return set_create(c, a, reterr);
        if (streq(a->key, "Delete"))
                return set_delete(c, a, reterr);
        if (streq(a->key, "Label"))
                return set_pair(a, /* label= */ true, &c->labels, reterr);
        if (streq(a->key, "Annotation"))
                return set_pair(a, /* label= */ false, &c->annotations, reterr);
        return set_access(c, a, reterr);
}

int cluster_config_check(ClusterConfig *c, Conf *conf) {
        int r = 0;

        if (conf_has_error(conf))
                return 0;
        if (!c->secret)
                return conf_add_message(conf, CONF_ERROR, config_main_file(conf), 0,
                                        "Secret= is missing in section [Kubernetes], add for example "
                                        "Secret=quay-pull");
        if (c->create == CLUSTER_MERGE && (c->labels || c->annotations))
                r = conf_add_message(conf, CONF_WARNING, config_main_file(conf), 0,
                                     "Label= and Annotation= mean nothing with Create=merge, ignoring");
        return r < 0 ? r : identity_access_check(c->access->settings, conf);
}

int cluster_config_place(const ClusterConfig *c, char **ret) {
        const char *server = identity_config_get(c->access, "Server"),
                   *config = identity_config_get(c->access, "Kubeconfig"),
                   *context = identity_config_get(c->access, "Context"),
                   *namespace = identity_config_get(c->access, "Namespace");

        return text_format(ret, "%s%s%s%s%s%s/%s", CLUSTER_PLACE_PREFIX, server ?: config ?: "in-cluster",
                           context ? "#" : "", strempty(context), namespace ? "/" : "", strempty(namespace),
                           c->secret);
}
