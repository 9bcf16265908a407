/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules of ownership in a target, in one place:
 *
 *   - a key that nobody holds is ours for the taking;
 *   - a key that is ours is written and removed at will, but what somebody else put in its place is
 *     never removed, only replaced while we have something good to put there;
 *   - a key that somebody else holds is taken with TakeOver=yes only, unless what stands there is a
 *     token that a registry issued to this very robot, or one of the identity that ours is of: such a
 *     thing comes from this program (an earlier installation, a lost state file), for nobody else makes
 *     them.
 *
 * Owns no file and no state: it decides, others do. */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/jwt.h"
#include "daemon/target-plan.h"
#include "model/auth-index.h"
#include "model/user-pass.h"

typedef struct Planning {
        const TargetView *view;
        const AuthIndex *index;
        TargetPlan *plan;
        const Wanted *const *sorted; /* by key */
        size_t n_sorted;
        int error;
} Planning;

void wanted_free(Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                failure_free(wanted[i].failure);
        free(wanted);
}

void target_plan_done(TargetPlan *p) {
        free(p->entries);
        free(p->owners);
        strv_free(p->removed);
        *p = (TargetPlan){};
}

static TargetOwner *add_entry(TargetPlan *p, const char *key, const Secret *user_pass) {
        p->entries[p->n_entries] = (AuthEntry){ .key = key, .user_pass = user_pass };
        return p->owners + p->n_entries++;
}

/* What a JWT says that stands behind "user:"; NULL if there is none, or none that ends. */
static JwtClaims *read_token(const Secret *user_pass, const char *user) {
        _cleanup_jwt_ JwtClaims *claims = NULL;
        struct iovec its, token;

        if (!user_pass_is_of(user_pass, user) || !user_pass_split(user_pass, &its, &token))
                return NULL;
        if (jwt_parse(token.iov_base, token.iov_len, &claims, &(const char *){ 0 }) < 0)
                return NULL;
        return claims->has_exp ? TAKE_PTR(claims) : NULL;
}

/* A token that a registry made for this very robot, or one of the issuer and subject that ours is of. */
static bool is_token_like_ours(const Secret *standing, const Wanted *w) {
        _cleanup_jwt_ JwtClaims *claims = read_token(standing, w->robot), *ours = NULL;

        if (!claims)
                return false;
        if (streq_ptr(claims->sub, w->robot))
                return true;
        ours = read_token(w->user_pass, w->robot);
        return ours && ours->iss && ours->sub && streq_ptr(claims->iss, ours->iss) &&
               streq_ptr(claims->sub, ours->sub);
}

/* Returns 1 if we may write the key, 0 with a failure if not, -ENOMEM. */
static int may_take(const Planning *p, Wanted *w) {
        _cleanup_secret_ Secret *standing = NULL;
        int r;

        if (w->take_over || state_data_find_key(p->view->state, p->view->target, w->key) || !w->stands)
                return 1;
        r = auth_index_user_pass(p->index, w->key, &standing);
        if (r < 0)
                return r;
        if (r > 0 && (secret_equal(standing, w->user_pass) || is_token_like_ours(standing, w)))
                return 1;
        r = failure_new(&w->failure, STEP_PUBLICATION, REASON_TARGET_CONFLICT,
                        "The target file %s has an entry '%s' that is not ours", p->view->path, w->key);
        if (r < 0)
                return r;
        r = failure_set_hint(
                w->failure,
                "Remove that entry (podman logout), or let the job replace it with TakeOver=yes");
        return r < 0 ? r : 0;
}

/* Of what stands under the key. Returns 1, 0 if that is no user with a password, or nothing, -ENOMEM. */
static int look_at(const Planning *p, const char *key, Fingerprint *ret) {
        _cleanup_secret_ Secret *standing = NULL;
        int r;

        r = auth_index_user_pass(p->index, key, &standing);
        if (r <= 0)
                return r;
        r = state_data_fingerprint_entry(p->view->state, standing, ret);
        return r < 0 ? r : 1;
}

/* Is what stands under the key what we put there? */
static int is_our_entry(const Planning *p, const OwnedKey *k) {
        Fingerprint print;
        int r;

        r = look_at(p, k->key, &print);
        return r <= 0 ? r : written_is(&k->written, &print);
}

static int compare_wanted(const void *a, const void *b) {
        return strcmp((*(const Wanted *const *) a)->key, (*(const Wanted *const *) b)->key);
}

static bool is_wanted(const Planning *p, const char *key) {
        const Wanted probe = { .key = key }, *pointer = &probe;
        const Wanted *const *found;

        if (p->n_sorted == 0)
                return false;
        found = bsearch(&pointer, p->sorted, p->n_sorted, sizeof(*p->sorted), compare_wanted);
        return found && (*found)->user_pass;
}

/* A key of ours that nothing shall stand under any more. */
static void plan_removal(const OwnedKey *k, void *userdata) {
        Planning *p = userdata;
        int r;

        if (p->error < 0 || is_wanted(p, k->key))
                return;
        r = strv_append(&p->plan->removed, k->key);
        if (r >= 0)
                r = is_our_entry(p, k);
        if (r > 0)
                (void) add_entry(p->plan, k->key, NULL);
        if (r < 0)
                p->error = r;
}

static void count_key(const OwnedKey *k, void *userdata) {
        size_t *n = userdata;

        (*n)++;
}

static int plan_entry(const Planning *p, const Wanted *w) {
        const OwnedKey *k = state_data_find_key(p->view->state, p->view->target, w->key);
        TargetOwner *owner = add_entry(p->plan, w->key, w->user_pass);
        int r;

        owner->job = w->job;
        r = state_data_fingerprint_entry(p->view->state, w->user_pass, &owner->wanted);
        /* Mostly nothing changes, and then nobody asks. */
        if (r < 0 || (k && memcmp(&k->written.current, &owner->wanted, sizeof(owner->wanted)) == 0))
                return r;
        r = look_at(p, w->key, &owner->standing);
        owner->unreadable = r == 0 && w->stands;
        return r;
}

static int plan_wanted(const Planning *p, Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r;

                wanted[i].failure = failure_free(wanted[i].failure);
                if (!wanted[i].user_pass)
                        continue;
                wanted[i].stands = auth_index_has(p->index, wanted[i].key);
                r = may_take(p, wanted + i);
                if (r > 0)
                        r = plan_entry(p, wanted + i);
                if (r < 0)
                        return r;
        }
        return 0;
}

int target_plan_make(const TargetView *view, Wanted *wanted, size_t n_wanted, TargetPlan *ret,
                     JsonError *reterr) {
        _cleanup_(target_plan_done) TargetPlan plan = {};
        _cleanup_(auth_index_freep) AuthIndex *index = NULL;
        _cleanup_free_ const Wanted **sorted = NULL;
        struct iovec bytes = secret_peek(view->text);
        size_t n_owned = 0;
        Planning p;
        int r;

        r = auth_index_new(bytes.iov_base, bytes.iov_len, &index, reterr);
        if (r < 0)
                return r;
        state_data_each_key(view->state, view->target, count_key, &n_owned);
        plan.entries = calloc(n_wanted + n_owned + 1, sizeof(*plan.entries));
        plan.owners = calloc(n_wanted + n_owned + 1, sizeof(*plan.owners));
        sorted = calloc(n_wanted + 1, sizeof(*sorted));
        if (!plan.entries || !plan.owners || !sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n_wanted; i++)
                sorted[i] = wanted + i;
        qsort(sorted, n_wanted, sizeof(*sorted), compare_wanted);
        p = (Planning){ view, index, &plan, sorted, n_wanted, 0 };
        r = plan_wanted(&p, wanted, n_wanted);
        if (r < 0)
                return r;
        state_data_each_key(view->state, view->target, plan_removal, &p);
        if (p.error < 0)
                return p.error;
        *ret = plan;
        plan = (TargetPlan){};
        return 0;
}

int target_plan_own(const TargetPlan *p, StateData *state, const char *target) {
        for (size_t i = 0; i < p->n_entries; i++) {
                const TargetOwner *o = p->owners + i;
                int r;

                if (!o->job)
                        continue;
                r = state_data_own_key(state, target, p->entries[i].key, o->job, &o->wanted,
                                       o->unreadable ? NULL : &o->standing);
                if (r < 0)
                        return r;
        }
        return 0;
}

void target_plan_disown(const TargetPlan *p, StateData *state, const char *target) {
        STRV_FOREACH(key, p->removed)
                state_data_disown_key(state, target, *key);
}
