/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds a job's credential where an earlier run of the daemon left it, and works out how old it is.
 *
 * Owns the choice, and what was read for it: of all copies, in the fragment and in targets, the one that
 * ends last. A write that failed or a backup that was put back may have left an older one anywhere.
 *
 * Owns the order of belief in clocks: on the same boot the state file's boot clock; after a reboot the real
 * clock, if it stands within the token's life, until it is set; otherwise the age is unknown, and the
 * credential is kept but replaced at once. What has ended is not taken up, so that it is withdrawn before
 * anything else.
 *
 * Refuses entries that we did not write and tokens of other robots. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/jwt.h"
#include "daemon/adoption.h"
#include "daemon/fragment.h"
#include "daemon/job-hold.h"
#include "daemon/target-directory.h"
#include "model/auth-file.h"
#include "model/auth-index.h"
#include "model/name.h"
#include "model/user-pass.h"

static usec_t due_after_reboot(const JobRecord *record, const AdoptionClock *clock) {
        usec_t due_real;

        if (!record || record->due_boot <= record->obtained_boot)
                return 0;
        due_real = usec_add(record->obtained_real, record->due_boot - record->obtained_boot);
        return usec_add(clock->boot, usec_sub(due_real, clock->real));
}

/* What the run before us knew, on the clock that still goes on. */
static JobTimes times_of_record(const JobRecord *record, usec_t lifetime) {
        usec_t expires = usec_add(record->obtained_boot, lifetime);

        return (JobTimes){
                .obtained_boot = record->obtained_boot,
                .expires_boot = record->expires_boot > 0 && record->expires_boot < expires
                                        ? record->expires_boot
                                        : expires,
                .due_boot = record->due_boot,
                .estimated = record->estimated,
        };
}

static JobTimes times_by_real_clock(usec_t issued, usec_t expires, const JobRecord *record,
                                    const AdoptionClock *clock) {
        usec_t age = usec_sub(clock->real, issued);

        return (JobTimes){
                .obtained_boot = clock->boot,
                .expires_boot = usec_add(clock->boot, usec_sub(expires - issued, age)),
                .due_boot = due_after_reboot(record, clock),
                .estimated = true,
        };
}

/* On the same boot it was fixed already. If the credential ends sooner than was thought, so it is due. */
static usec_t due_on_this_boot(const JobRecord *record, usec_t expires_boot) {
        usec_t due = usec_sub(record->due_boot, usec_sub(record->expires_boot, expires_boot));

        return due > 0 ? due : 1;
}

int adoption_times(int64_t issued, int64_t expires, const JobRecord *record, const AdoptionClock *clock,
                   JobTimes *ret) {
        usec_t iat = (usec_t) issued * USEC_PER_SEC, exp = (usec_t) expires * USEC_PER_SEC,
               lifetime = exp - iat;
        bool clock_set = usec_add(clock->real, JOB_CLOCK_LEEWAY) >= iat, same_boot;

        /* A record of another credential says nothing of this one: we were killed between writing the
         * two. Of a token that was not new, only the rest of its life was ours: its end tells. */
        if (record && record->issued != (uint64_t) issued && record->expires != (uint64_t) expires)
                record = NULL;
        same_boot = record && clock->same_boot && record->obtained_boot <= clock->boot;
        if (same_boot && (!record->estimated || !clock_set))
                *ret = times_of_record(record, lifetime);
        else if (clock_set) {
                *ret = times_by_real_clock(iat, exp, record, clock);
                if (same_boot)
                        ret->due_boot = due_on_this_boot(record, ret->expires_boot);
        } else
                *ret = (JobTimes){
                        .obtained_boot = clock->boot,
                        .expires_boot = usec_add(clock->boot, lifetime),
                        .due_boot = clock->boot,
                        .estimated = true,
                };
        return ret->expires_boot > clock->boot;
}

struct AdoptionView {
        char *path; /* as it is configured */
        Secret *text;
        AuthIndex *index; /* NULL: no file, or none that can be understood */
};

static void view_done(AdoptionView *v) {
        free(TAKE_PTR(v->path));
        v->index = auth_index_free(v->index);
        v->text = secret_free(v->text);
}

void adoption_forget(Adoption *a) {
        for (size_t i = 0; i < a->n_views; i++)
                view_done(a->views + i);
        free(TAKE_PTR(a->views));
        a->n_views = 0;
}

/* Consumes `text`. What cannot be understood holds nothing. */
static int view_fill(AdoptionView *v, Secret *text) {
        struct iovec bytes = secret_peek(text);
        JsonError error = {};
        int r;

        v->text = text;
        r = auth_index_new(bytes.iov_base, bytes.iov_len, &v->index, &error);
        return r == -EBADMSG ? 0 : r;
}

static int view_read(const Adoption *a, AdoptionView *v) {
        Secret *text;
        int r;

        r = target_directory_read(a->root, v->path, AUTH_FILE_MAX, &text);
        if (r >= 0)
                r = view_fill(v, text);
        return r == -ENOMEM ? r : 0;
}

/* Each file is read once. */
static int view_target(Adoption *a, const char *path, AdoptionView **ret) {
        AdoptionView *grown;
        int r;

        for (size_t i = 0; i < a->n_views; i++)
                if (streq(a->views[i].path, path)) {
                        *ret = a->views + i;
                        return 0;
                }
        grown = reallocarray(a->views, a->n_views + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        a->views = grown;
        grown += a->n_views;
        *grown = (AdoptionView){ .path = strdup(path) };
        if (!grown->path)
                return -ENOMEM;
        a->n_views++;
        r = view_read(a, grown);
        if (r >= 0)
                *ret = grown;
        return r;
}

/* Returns 1 if we wrote it (for that owner, unless NULL), 0 or -ENOMEM: others may have put something else
 * under our key. */
static int is_ours(const Adoption *a, const char *target, const char *key, const char *owner,
                   const Secret *user_pass) {
        const OwnedKey *k = state_data_find_key(a->state, target, key);
        Fingerprint print;
        int r;

        if (!k || (owner && !streq(k->job, owner)))
                return 0;
        r = state_data_fingerprint_entry(a->state, user_pass, &print);
        return r < 0 ? r : written_is(&k->written, &print);
}

/* Is this what was written last, and what the record of the job is about? Returns 1, 0 or -ENOMEM. */
static int is_the_latest(const Adoption *a, const JobConfig *c, const char *key, const Secret *user_pass) {
        Fingerprint print;
        int r;

        r = state_data_fingerprint_entry(a->state, user_pass, &print);
        if (r < 0)
                return r;
        for (size_t i = 0; i < a->state->n_targets; i++) {
                const OwnedKey *k = state_data_find_key(a->state, a->state->targets[i].name, key);

                if (k && streq(k->job, c->name) && memcmp(&print, &k->written.current, sizeof(print)) == 0)
                        return 1;
        }
        return 0;
}

/* What was noted of a token that says nothing of itself. Returns false if there is nothing. */
static bool recall_dates(const JobRecord *record, Credential *c) {
        if (!record || record->issued == 0 || record->expires <= record->issued)
                return false;
        c->issued = (int64_t) record->issued;
        c->expires = (int64_t) record->expires;
        return true;
}

/* Returns 1 with a credential that lacks its time on our clock, 0 if this is no token of the robot (NULL: of
 * any) whose dates are known: by itself, or by `record`, which may be NULL. */
static int read_credential(const char *robot, const Secret *user_pass, const JobRecord *record,
                           Credential **ret) {
        _cleanup_credential_ Credential *c = NULL;
        _cleanup_jwt_ JwtClaims *claims = NULL;
        struct iovec user, secret;
        const char *what;
        int r;

        if (!user_pass_split(user_pass, &user, &secret) || (robot && !user_pass_is_of(user_pass, robot)))
                return 0;
        r = jwt_parse(secret.iov_base, secret.iov_len, &claims, &what);
        if (r == -ENOMEM)
                return r;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        if (r == 0 && claims->has_iat && claims->has_exp && claims->iat >= 0 && claims->exp > claims->iat) {
                c->issued = claims->iat;
                c->expires = claims->exp;
        } else if (!recall_dates(record, c))
                return 0;
        c->user = strndup(user.iov_base, user.iov_len);
        if (!c->user)
                return -ENOMEM;
        r = secret_new(secret.iov_base, secret.iov_len, &c->secret);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 1;
}

/* Keeps in *best what ends later: a copy that was not replaced, in whatever place, loses. */
static int consider(const Adoption *a, const JobConfig *c, const char *key, const Secret *user_pass,
                    Credential **best) {
        const JobRecord *record = NULL;
        _cleanup_credential_ Credential *found = NULL;
        int r;

        r = c->exchange == EXCHANGE_OAUTH2 ? is_the_latest(a, c, key, user_pass) : 0;
        if (r < 0)
                return r;
        if (r > 0)
                record = state_data_job(a->state, c->name, /* create= */ false);
        r = read_credential(c->robot, user_pass, record, &found);
        if (r <= 0 || (*best && found->expires <= (*best)->expires))
                return r < 0 ? r : 0;
        credential_free(*best);
        *best = TAKE_PTR(found);
        return 0;
}

static bool is_at(const char *key, const char *registry) {
        const char *rest = startswith(key, registry);

        return rest && (*rest == '\0' || *rest == '/');
}

/* All of it is ours. Its keys may be those that the job had before its scopes were changed. */
static int search_fragment(const Adoption *a, const JobConfig *c, Credential **best) {
        AdoptionView v = {};
        const char *key;
        Secret *text;
        int r;

        r = fragment_read(a->fragments_fd, c->name, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = view_fill(&v, text);
        for (size_t i = 0; r >= 0 && v.index && (key = auth_index_key(v.index, i)); i++) {
                _cleanup_secret_ Secret *user_pass = NULL;

                if (c->registry ? !is_at(key, c->registry) : !strv_contains(c->scopes, key))
                        continue;
                r = auth_index_user_pass(v.index, key, &user_pass);
                if (r > 0)
                        r = consider(a, c, key, user_pass, best);
        }
        view_done(&v);
        return r;
}

/* What stands under one key of one file. */
static int search_key(const Adoption *a, const JobConfig *c, const AdoptionView *v, const char *key,
                      const char *owner, Credential **best) {
        _cleanup_secret_ Secret *user_pass = NULL;
        int r;

        r = auth_index_user_pass(v->index, key, &user_pass);
        if (r > 0)
                r = is_ours(a, v->path, key, owner, user_pass);
        return r > 0 ? consider(a, c, key, user_pass, best) : r;
}

static int search_target(Adoption *a, const JobConfig *c, const char *path, const char *owner,
                         Credential **best) {
        AdoptionView *v;
        int r;

        r = view_target(a, path, &v);
        if (r < 0 || !v->index)
                return r;
        STRV_FOREACH(scope, c->scopes)
                if (r >= 0)
                        r = search_key(a, c, v, *scope, owner, best);
        if (r >= 0 && c->registry && !strv_contains(c->scopes, c->registry))
                r = search_key(a, c, v, c->registry, owner, best);
        return r;
}

/* Returns 1 with the credential of this robot that ends last of all that we left, wherever that was, 0 if
 * there is none, -ENOMEM. */
static int search(Adoption *a, const JobConfig *c, const char *owner, Credential **ret) {
        _cleanup_credential_ Credential *best = NULL;
        int r;

        r = search_fragment(a, c, &best);
        for (size_t i = 0; i < a->state->n_targets && r >= 0; i++)
                if (a->state->targets[i].keys && strchr("/~", a->state->targets[i].name[0]))
                        r = search_target(a, c, a->state->targets[i].name, owner, &best);
        if (r < 0 || !best)
                return r < 0 ? r : 0;
        *ret = TAKE_PTR(best);
        return 1;
}

typedef struct Recall {
        const char *job;
        char **keys;
        bool found; /* in the target that is looked at */
        int error;
} Recall;

static void recall_key(const OwnedKey *k, void *userdata) {
        Recall *recall = userdata;

        if (recall->error < 0 || !streq(k->job, recall->job))
                return;
        recall->found = true;
        if (!strv_contains(recall->keys, k->key))
                recall->error = strv_append(&recall->keys, k->key);
}

/* The target that a file is of, or NULL. */
static const char *target_of_path(const Adoption *a, const char *path) {
        const TargetSet *all = a->configuration->targets;

        for (size_t i = 0; i < all->n; i++)
                if (strv_contains(all->items[i].config->paths, path))
                        return all->items[i].config->name;
        return NULL;
}

/* Returns 1 if some keys of some files are the job's. */
static int recall_places(const Adoption *a, const char *job, char ***ret_scopes, char ***ret_targets) {
        _cleanup_strv_ char **targets = NULL;
        Recall recall = { .job = job };

        for (size_t i = 0; i < a->state->n_targets && recall.error >= 0; i++) {
                const char *path = a->state->targets[i].name, *target = target_of_path(a, path);

                recall.found = false;
                state_data_each_key(a->state, path, recall_key, &recall);
                if (recall.error >= 0 && recall.found && target && !strv_contains(targets, target))
                        recall.error = strv_append(&targets, target);
        }
        if (recall.error < 0) {
                strv_free(recall.keys);
                return recall.error;
        }
        *ret_scopes = recall.keys;
        *ret_targets = TAKE_PTR(targets);
        return recall.keys ? 1 : 0;
}

/* What the job was when its credential was published. Returns 1, 0 if that cannot be told, -ENOMEM. */
static int recall_config(Adoption *a, JobConfig *old) {
        _cleanup_credential_ Credential *c = NULL;
        int r;

        r = recall_places(a, old->name, &old->scopes, &old->targets);
        if (r > 0)
                r = search(a, old, old->name, &c);
        if (r <= 0)
                return r;
        old->robot = TAKE_PTR(c->user);
        old->registry = strndup(old->scopes[0], strcspn(old->scopes[0], "/"));
        if (!old->registry)
                return -ENOMEM;
        return user_is_valid(old->robot) && registry_is_valid(old->registry);
}

static void swap_strings(char **a, char **b) {
        char *c = *a;

        *a = *b;
        *b = c;
}

static void swap_lists(char ***a, char ***b) {
        char **c = *a;

        *a = *b;
        *b = c;
}

int adoption_recall(Adoption *a, JobConfig *config) {
        _cleanup_(job_config_freep) JobConfig *old = NULL;
        int r;

        if (config->registry && config->robot && config->scopes && config->scopes[0])
                return 0;
        old = calloc(1, sizeof(*old));
        if (!old)
                return -ENOMEM;
        r = free_and_strdup(&old->name, config->name);
        if (r >= 0)
                r = recall_config(a, old);
        if (r <= 0)
                return r;
        swap_strings(&config->registry, &old->registry);
        swap_strings(&config->robot, &old->robot);
        swap_lists(&config->scopes, &old->scopes);
        if (old->targets)
                swap_lists(&config->targets, &old->targets);
        return 0;
}

/* Another robot's, if nothing in it could be taken up: it was of this boot. */
static bool has_fragment(const Adoption *a, const char *job) {
        _cleanup_secret_ Secret *text = NULL;

        return fragment_read(a->fragments_fd, job, &text) >= 0;
}

/* There is nothing to be read, but where nobody can read it something may stand that lives on: after a
 * reboot that is so of Secrets of clusters, and of files that are made from a template. */
static int take_left(const Adoption *a, Job *j, const JobRecord *record, const AdoptionClock *clock) {
        JobTimes times;

        if (!record || record->issued == 0 || record->expires <= record->issued || has_fragment(a, j->name))
                return 0;
        if (adoption_times((int64_t) record->issued, (int64_t) record->expires, record, clock, &times) ==
            0) {
                if (j->config->on_expiry == ON_EXPIRY_WITHDRAW)
                        return 0;
                times.expires_boot = 1;
        }
        return job_hold_left(j, times.expires_boot, (int64_t) record->expires);
}

int adoption_try(Adoption *a, Job *j) {
        _cleanup_credential_ Credential *c = NULL;
        const JobRecord *record = state_data_job(a->state, j->name, /* create= */ false);
        AdoptionClock clock = { .boot = now_boot(), .real = now_real() };
        JobTimes times;
        int r;

        if (!j->config->enabled || !j->config->robot || !j->config->scopes || !j->config->scopes[0])
                return 0;
        /* A job under another name takes up what it had under the former one. One that cannot work has had
         * nothing under another name: what stands there belongs to the job that it is in conflict with. */
        r = search(a, j->config, j->configuration_failure ? j->name : NULL, &c);
        if (r < 0)
                return r;
        if (record)
                clock.same_boot = memcmp(record->boot_id, a->boot_id, sizeof(a->boot_id)) == 0;
        if (r == 0)
                return take_left(a, j, record, &clock);
        if (record)
                j->last_success_real = record->last_success_real;
        if (adoption_times(c->issued, c->expires, record, &clock, &times) == 0) {
                log_debug("Job '%s': what an earlier run left has ended", j->name);
                if (j->config->on_expiry == ON_EXPIRY_WITHDRAW)
                        return 0;
                times = (JobTimes){ .obtained_boot = 0, .expires_boot = 1 };
        }
        r = job_adopt(j, TAKE_PTR(c), &times);
        return r < 0 ? r : 1;
}
