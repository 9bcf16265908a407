/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends of life of Secrets of a cluster, and what names in them look like.
 *
 * Owns the rules of Kubernetes for names (DNS names for objects, a prefix and a short name for labels and
 * annotations). Knows neither how a cluster is asked nor when. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/cluster-secret.h"
#include "model/setting.h"

#define NAME_MAX_SIZE 253
#define SHORT_MAX_SIZE 63
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const action_table[_CLUSTER_ACTION_MAX] = {
        [CLUSTER_READ] = "read",
        [CLUSTER_APPLY] = "apply",
        [CLUSTER_PATCH] = "patch",
        [CLUSTER_REMOVE] = "remove",
};

const char *cluster_action_to_string(ClusterAction a) {
        return a >= 0 && a < _CLUSTER_ACTION_MAX ? action_table[a] : NULL;
}

ClusterAction cluster_action_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(action_table); i++)
                if (streq_ptr(s, action_table[i]))
                        return (ClusterAction) i;
        return _CLUSTER_ACTION_INVALID;
}

ClusterSecret *cluster_secret_free(ClusterSecret *s) {
        if (!s)
                return NULL;
        free(s->name);
        free(s->type);
        free(s->uid);
        free(s->version);
        strv_free(s->labels);
        strv_free(s->annotations);
        secret_free(s->data);
        free(s);
        return NULL;
}

/* Of `letters` and `between`, the latter neither first nor last. */
static bool is_made_of(const char *s, size_t n, size_t max, const char *letters, const char *between) {
        if (n == 0 || n > max || !strchr(letters, s[0]) || !strchr(letters, s[n - 1]))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!strchr(letters, s[i]) && !strchr(between, s[i]))
                        return false;
        return true;
}

bool cluster_name_is_valid(const char *s) {
        return is_made_of(s, strlen(s), NAME_MAX_SIZE, LOWER, "-.") && !strstr(s, "..");
}

bool cluster_key_is_valid(const char *s) {
        const char *slash = strchr(s, '/'), *rest = slash ? slash + 1 : s;

        return (!slash || is_made_of(s, (size_t) (slash - s), NAME_MAX_SIZE, LOWER, "-.")) &&
               is_made_of(rest, strlen(rest), SHORT_MAX_SIZE, ALNUM, "-_.");
}

bool cluster_label_is_valid(const char *value) {
        return value[0] == '\0' || is_made_of(value, strlen(value), SHORT_MAX_SIZE, ALNUM, "-_.");
}

bool cluster_pairs_contain(char *const *found, char *const *wanted) {
        for (char *const *p = wanted; p && p[0]; p += 2)
                if (!streq_ptr(settings_get(found, p[0]), p[1]))
                        return false;
        return true;
}
