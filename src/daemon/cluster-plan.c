/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What to do with a Secret of a cluster.
 *
 * Owns whose it is (told by a label and an annotation in it) and the sentences about those that are not as
 * they should be. Which entries are ours, and how they are merged with others', is that of files:
 * daemon/target-plan and model/auth-file. Asks no cluster. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/cluster-plan.h"
#include "model/auth-file.h"
#include "model/auth-index.h"
#include "model/setting.h"
#include "model/user-pass.h"

void cluster_plan_done(ClusterPlan *p) {
        cluster_secret_free(p->secret);
        strv_free(p->removed);
        *p = (ClusterPlan){};
}

static bool is_whole(const ClusterView *v) {
        return v->config->cluster->create != CLUSTER_MERGE;
}

static int add_pair(char ***pairs, const char *name, const char *value) {
        int r;

        r = strv_append(pairs, name);
        return r < 0 ? r : strv_append(pairs, value);
}

/* Returns 0 or -ENOMEM. */
static int mark_as_ours(const ClusterView *v, ClusterSecret *s) {
        _cleanup_free_ char *who = NULL;
        int r;

        r = text_format(&who, "%s/%s", v->host, v->config->name);
        if (r >= 0)
                r = add_pair(&s->labels, CLUSTER_LABEL_MANAGER, CLUSTER_MANAGER);
        if (r >= 0)
                r = add_pair(&s->annotations, CLUSTER_ANNOTATION_OWNER, v->owner);
        return r < 0 ? r : add_pair(&s->annotations, CLUSTER_ANNOTATION_HOST, who);
}

int cluster_secret_wanted(const ClusterView *v, ClusterSecret **ret) {
        _cleanup_(cluster_secret_freep) ClusterSecret *s = NULL;
        const ClusterConfig *c = v->config->cluster;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        r = free_and_strdup(&s->name, c->secret);
        if (r >= 0 && is_whole(v)) {
                r = strv_copy(c->labels, &s->labels);
                if (r >= 0)
                        r = strv_copy(c->annotations, &s->annotations);
                if (r >= 0)
                        r = mark_as_ours(v, s);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static bool is_ours(const ClusterView *v) {
        return streq_ptr(settings_get(v->found->labels, CLUSTER_LABEL_MANAGER), CLUSTER_MANAGER) &&
               streq_ptr(settings_get(v->found->annotations, CLUSTER_ANNOTATION_OWNER), v->owner);
}

static int refuse(Failure *f, const char *hint, Failure **reterr) {
        int r = failure_set_hint(f, "%s", hint);

        if (r < 0) {
                failure_free(f);
                return r;
        }
        *reterr = f;
        return 1;
}

static int refuse_foreign(const ClusterView *v, Failure **reterr) {
        const char *host = settings_get(v->found->annotations, CLUSTER_ANNOTATION_HOST);
        Failure *f;
        int r;

        r = failure_new(&f, STEP_PUBLICATION, REASON_TARGET_CONFLICT,
                        "The Secret '%s' is there already and %s%s", v->config->cluster->secret,
                        host ? "pullauthd made it elsewhere: " : "is somebody else's", strempty(host));
        return r < 0 ? r
                     : refuse(f,
                              "Remove that Secret if nobody needs it, give the target another Secret=, or "
                              "let Create=merge put the entries into it",
                              reterr);
}

static int refuse_missing(const ClusterView *v, Failure **reterr) {
        Failure *f;
        int r;

        r = failure_new(&f, STEP_PUBLICATION, REASON_TARGET_UNWRITABLE,
                        "The Secret '%s' does not exist, and Create=merge makes none",
                        v->config->cluster->secret);
        return r < 0 ? r : refuse(f, "Make it, or let the target do so with Create=owner", reterr);
}

static int refuse_type(const ClusterView *v, Failure **reterr) {
        Failure *f;
        int r;

        r = failure_new(&f, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                        "The Secret '%s' is of the type '%s' and was left untouched",
                        v->config->cluster->secret, strempty(v->found->type));
        return r < 0 ? r : refuse(f, "Name a Secret of the type " CLUSTER_SECRET_TYPE " in Secret=", reterr);
}

static int refuse_content(const ClusterView *v, const JsonError *error, Failure **reterr) {
        Failure *f;
        int r;

        r = failure_new(
                &f, STEP_PUBLICATION, REASON_TARGET_MALFORMED,
                "What is in the Secret '%s' is not valid JSON and was left untouched: line %zu, column "
                "%zu: %s",
                v->config->cluster->secret, error->line, error->column, error->what);
        return r < 0 ? r : refuse(f, "Repair " CLUSTER_SECRET_KEY " in it, or remove the Secret", reterr);
}

static int refuse_size(const ClusterView *v, Failure **reterr) {
        Failure *f;
        int r;

        r = failure_new(&f, STEP_PUBLICATION, REASON_TARGET_FULL,
                        "The Secret '%s' would be larger than the 1 MiB that a cluster lets it be",
                        v->config->cluster->secret);
        return r < 0 ? r : refuse(f, "Spread the jobs over several targets", reterr);
}

/* Is the entry what we wrote last for that very robot? Returns 1, 0 or -ENOMEM. */
static int is_left_by_us(const ClusterView *v, const Wanted *w, const Secret *user_pass) {
        StateData *state = state_store_data(v->store);
        const OwnedKey *k = state_data_find_key(state, v->config->paths[0], w->key);
        Fingerprint print;
        int r;

        if (!k || !streq(k->job, w->job))
                return 0;
        r = state_data_fingerprint_entry(state, user_pass, &print);
        if (r < 0 || memcmp(&print, &k->written.current, sizeof(print)) != 0)
                return r;
        return w->robot && user_pass_is_of(user_pass, w->robot);
}

/* What an earlier run left for a job that has nothing else stays as it stands there: it is wanted as if the
 * job had it. Returns 0 or -ENOMEM. */
static int find_left(const ClusterView *v, Wanted *wanted, size_t n) {
        struct iovec text = secret_peek(v->found && (!is_whole(v) || is_ours(v)) ? v->found->data : NULL);
        _cleanup_(auth_index_freep) AuthIndex *index = NULL;
        int r;

        r = auth_index_new(text.iov_base, text.iov_len, &index, &(JsonError){});
        if (r == -ENOMEM)
                return r;
        for (size_t i = 0; i < n; i++) {
                _cleanup_secret_ Secret *user_pass = NULL;

                if (!wanted[i].left)
                        continue;
                r = index ? auth_index_user_pass(index, wanted[i].key, &user_pass) : 0;
                if (r > 0)
                        r = is_left_by_us(v, wanted + i, user_pass);
                if (r < 0)
                        return r;
                wanted[i].left = r > 0;
                if (wanted[i].left)
                        wanted[i].user_pass = TAKE_PTR(user_pass);
        }
        return 0;
}

static void forget_left(Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (wanted[i].left) {
                        secret_free((Secret *) wanted[i].user_pass);
                        wanted[i].user_pass = NULL;
                }
}

static bool wants_any(const Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (wanted[i].user_pass)
                        return true;
        return false;
}

/* Nothing is to stand there any more. It stays if somebody said so, and if there is something that is ours.
 * */
static bool is_left(const ClusterView *v) {
        const ClusterConfig *c = v->config->cluster;

        return v->leaving ? c->create == CLUSTER_ORPHAN : c->retain;
}

/* Writes down what goes into a request; the content is taken over. Returns 0 or -ENOMEM. */
static int change(const ClusterView *v, ClusterAction action, ClusterSecret *secret, Secret *data,
                  ClusterPlan *p) {
        int r = 0;

        secret->data = data;
        p->secret = secret;
        if (v->found)
                r = free_and_strdup(&secret->uid, v->found->uid);
        if (r >= 0 && v->found)
                r = free_and_strdup(&secret->version, v->found->version);
        p->action = action;
        return r < 0 ? r : 0;
}

static int plan_removal(const ClusterView *v, ClusterPlan *p) {
        ClusterSecret *secret;
        int r;

        r = cluster_secret_wanted(v, &secret);
        return r < 0 ? r : change(v, CLUSTER_REMOVE, secret, NULL, p);
}

/* What stands in the Secret and beside it is what shall. */
static bool is_in_line(const ClusterView *v, const ClusterSecret *wanted, const Secret *data) {
        return v->found && !v->first && streq_ptr(v->found->type, CLUSTER_SECRET_TYPE) &&
               secret_equal(v->found->data, data) &&
               cluster_pairs_contain(v->found->labels, wanted->labels) &&
               cluster_pairs_contain(v->found->annotations, wanted->annotations);
}

/* `data` is taken over. */
static int plan_write(const ClusterView *v, Secret *data, ClusterPlan *p) {
        _cleanup_(cluster_secret_freep) ClusterSecret *secret = NULL;
        _cleanup_secret_ Secret *owned = data;
        int r;

        r = cluster_secret_wanted(v, &secret);
        if (r < 0)
                return r;
        if (is_whole(v) && is_in_line(v, secret, owned))
                return 0;
        return change(v, is_whole(v) ? CLUSTER_APPLY : CLUSTER_PATCH, TAKE_PTR(secret), TAKE_PTR(owned), p);
}

/* Ours from here on, whatever happens to us before the Secret is written. */
static int own(const ClusterView *v, TargetPlan *keys) {
        int r;

        r = target_plan_own(keys, state_store_data(v->store), v->config->paths[0]);
        if (r >= 0 && state_store_save(v->store) < 0)
                log_debug("Cannot save the state before writing %s, going on", v->config->paths[0]);
        return r;
}

static int plan_entries(const ClusterView *v, TargetPlan *keys, ClusterPlan *p, Failure **reterr) {
        struct iovec old = secret_peek(is_whole(v) ? NULL : v->found->data);
        _cleanup_secret_ Secret *text = NULL;
        JsonError error = {};
        int r;

        r = auth_file_merge(old.iov_base, old.iov_len, keys->entries, keys->n_entries, &text, &error);
        if (r == -EBADMSG)
                return refuse_content(v, &error, reterr);
        if (r == -EFBIG || (r >= 0 && secret_size(text) > CLUSTER_SECRET_MAX))
                return refuse_size(v, reterr);
        if (r >= 0)
                r = own(v, keys);
        if (r < 0)
                return r;
        p->removed = TAKE_PTR(keys->removed);
        return text ? plan_write(v, TAKE_PTR(text), p) : 0;
}

static int make_keys(const ClusterView *v, const Secret *text, Wanted *wanted, size_t n, TargetPlan *ret,
                     Failure **reterr) {
        const TargetView view = { state_store_data(v->store), v->config->paths[0], v->config->paths[0],
                                  text };
        JsonError error = {};
        int r;

        r = target_plan_make(&view, wanted, n, ret, &error);
        return r == -EBADMSG ? refuse_content(v, &error, reterr) : r;
}

/* A Secret that is ours as a whole, or shall be. */
static int plan_whole(const ClusterView *v, bool any, TargetPlan *keys, ClusterPlan *p, Failure **reterr) {
        if (v->found && !is_ours(v) && any)
                return refuse_foreign(v, reterr);
        if (any)
                return plan_entries(v, keys, p, reterr);
        p->removed = TAKE_PTR(keys->removed);
        return !v->found || !is_ours(v) || is_left(v) ? 0 : plan_removal(v, p);
}

static int plan_merge(const ClusterView *v, bool any, TargetPlan *keys, ClusterPlan *p, Failure **reterr) {
        if (!v->found && any)
                return refuse_missing(v, reterr);
        if (v->found && (any || keys->n_entries > 0) && !streq_ptr(v->found->type, CLUSTER_SECRET_TYPE))
                return refuse_type(v, reterr);
        if (v->found && (any || !is_left(v)) && keys->n_entries > 0)
                return plan_entries(v, keys, p, reterr);
        if (any || !v->found || !is_left(v))
                p->removed = TAKE_PTR(keys->removed);
        return 0;
}

static int make_plan(const ClusterView *v, Wanted *wanted, size_t n_wanted, ClusterPlan *ret,
                     Failure **reterr) {
        _cleanup_(cluster_plan_done) ClusterPlan p = {};
        _cleanup_(target_plan_done) TargetPlan keys = {};
        bool any = wants_any(wanted, n_wanted);
        int r;

        r = make_keys(v, is_whole(v) || !v->found ? NULL : v->found->data, wanted, n_wanted, &keys, reterr);
        if (r == 0)
                r = is_whole(v) ? plan_whole(v, any, &keys, &p, reterr)
                                : plan_merge(v, any, &keys, &p, reterr);
        if (r != 0)
                return r;
        *ret = p;
        p = (ClusterPlan){};
        return 0;
}

int cluster_plan_make(const ClusterView *v, Wanted *wanted, size_t n_wanted, ClusterPlan *ret,
                      Failure **reterr) {
        int r;

        r = find_left(v, wanted, n_wanted);
        if (r >= 0)
                r = make_plan(v, wanted, n_wanted, ret, reterr);
        forget_left(wanted, n_wanted);
        return r;
}

int cluster_plan_preview(StateStore *store, const TargetConfig *config, Wanted *wanted, size_t n_wanted,
                         Secret **ret) {
        const TargetView view = { state_store_data(store), config->paths[0], config->paths[0], NULL };
        _cleanup_(target_plan_done) TargetPlan keys = {};
        JsonError error = {};
        int r;

        r = target_plan_make(&view, wanted, n_wanted, &keys, &error);
        if (r >= 0 && keys.n_entries == 0)
                return secret_new("", 0, ret);
        if (r >= 0)
                r = auth_file_merge(NULL, 0, keys.entries, keys.n_entries, ret, &error);
        return r < 0 ? r : 0;
}
