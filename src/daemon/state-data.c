/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state in memory: trees of owned keys and job records.
 *
 * Owns their order (by name, so that the file reads the same for the same content) and the note that
 * something changed. Knows no file and no clock. */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/text.h"
#include "codec/base64.h"
#include "daemon/state-data.h"

bool fingerprint_is_none(const Fingerprint *f) {
        return memcmp(f, &(const Fingerprint){}, sizeof(*f)) == 0;
}

bool written_is(const Written *w, const Fingerprint *print) {
        return memcmp(print, &w->current, sizeof(*print)) == 0 ||
               memcmp(print, &w->previous, sizeof(*print)) == 0;
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(((const OwnedKey *) a)->key, ((const OwnedKey *) b)->key);
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const JobRecord *) a)->job, ((const JobRecord *) b)->job);
}

/* Names stand behind what they name: most are as short as what malloc() takes for each piece. */
static OwnedKey *owned_key_new(const char *key, const char *job) {
        size_t n_key = strlen(key) + 1, n_job = strlen(job) + 1;
        OwnedKey *k = calloc(1, sizeof(*k) + n_key + n_job);
        char *names = (char *) (k + 1);

        if (!k)
                return NULL;
        k->key = memcpy(names, key, n_key);
        k->job = memcpy(names + n_key, job, n_job);
        return k;
}

static JobRecord *job_record_new(const char *job) {
        size_t n = strlen(job) + 1;
        JobRecord *j = calloc(1, sizeof(*j) + n);

        if (!j)
                return NULL;
        j->job = memcpy(j + 1, job, n);
        return j;
}

static StateTarget *find_target(StateData *s, const char *name) {
        for (size_t i = 0; i < s->n_targets; i++)
                if (streq(s->targets[i].name, name))
                        return s->targets + i;
        return NULL;
}

static int make_target(StateData *s, const char *name, StateTarget **ret) {
        StateTarget *grown, *t = find_target(s, name);
        char *copy;

        if (t) {
                *ret = t;
                return 0;
        }
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(s->targets, s->n_targets + 1, sizeof(*grown));
        if (!grown) {
                free(copy);
                return -ENOMEM;
        }
        s->targets = grown;
        t = s->targets + s->n_targets++;
        *t = (StateTarget){ .name = copy };
        *ret = t;
        return 0;
}

void state_data_fingerprint(const StateData *s, const void *data, size_t size, Fingerprint *ret) {
        const HashPart parts[] = { { "pullauth-entry", 14 }, { s->salt, sizeof(s->salt) }, { data, size } };

        hash_parts(parts, ELEMENTSOF(parts), ret->bytes);
}

int state_data_fingerprint_entry(const StateData *s, const Secret *user_pass, Fingerprint *ret) {
        struct iovec bytes = secret_peek(user_pass);
        _cleanup_secret_ Secret *auth = NULL;
        int r;

        r = base64_encode(bytes.iov_base, bytes.iov_len, &auth);
        if (r < 0)
                return r;
        bytes = secret_peek(auth);
        state_data_fingerprint(s, bytes.iov_base, bytes.iov_len, ret);
        return 0;
}

/* Where the tree has it, or NULL. */
static OwnedKey **find_key(StateData *s, const char *target, const char *key) {
        const OwnedKey probe = { .key = key };
        StateTarget *t = find_target(s, target);

        return t ? tfind(&probe, &t->keys, compare_keys) : NULL;
}

OwnedKey *state_data_find_key(StateData *s, const char *target, const char *key) {
        OwnedKey **place = find_key(s, target, key);

        return place ? *place : NULL;
}

/* Returns 1 or -ENOMEM. */
static int insert_key(StateData *s, const char *target, const char *key, const char *job, OwnedKey **ret) {
        StateTarget *t;
        OwnedKey *k;
        int r;

        r = make_target(s, target, &t);
        if (r < 0)
                return r;
        k = owned_key_new(key, job);
        if (!k)
                return -ENOMEM;
        if (!tsearch(k, &t->keys, compare_keys)) {
                free(k);
                return -ENOMEM;
        }
        *ret = k;
        return 1;
}

/* The key goes over to another job. Returns 1 or -ENOMEM. */
static int hand_over(OwnedKey **place, const char *job) {
        OwnedKey *k = owned_key_new((*place)->key, job);

        if (!k)
                return -ENOMEM;
        k->written = (*place)->written;
        free(*place);
        *place = k;
        return 1;
}

/* Returns 1 if that is something new. */
static int note(Written *w, const Fingerprint *now, const Fingerprint *standing) {
        if (memcmp(&w->current, now, sizeof(*now)) == 0)
                return 0;
        /* Unless `current` was never written. */
        if (!standing || memcmp(&w->previous, standing, sizeof(*standing)) != 0)
                w->previous = w->current;
        w->current = *now;
        return 1;
}

int state_data_own_key(StateData *s, const char *target, const char *key, const char *job,
                       const Fingerprint *now, const Fingerprint *standing) {
        OwnedKey **place = find_key(s, target, key), *k = NULL;
        int r = 0;

        if (!place)
                r = insert_key(s, target, key, job, &k);
        else if (!streq((*place)->job, job))
                r = hand_over(place, job);
        if (r < 0)
                return r;
        if (place)
                k = *place;
        if (note(&k->written, now, standing) > 0 || r > 0)
                s->changed = true;
        return 0;
}

int state_data_own_file(StateData *s, const char *target, const Fingerprint *now,
                        const Fingerprint *standing) {
        StateTarget *t;
        int r;

        r = make_target(s, target, &t);
        if (r < 0)
                return r;
        if (note(&t->all, now, standing) > 0 || !t->whole)
                s->changed = true;
        t->whole = true;
        return 0;
}

void state_data_disown_file(StateData *s, const char *target) {
        StateTarget *t = find_target(s, target);

        if (!t || !t->whole)
                return;
        t->whole = false;
        t->all = (Written){};
        s->changed = true;
}

const Written *state_data_find_file(StateData *s, const char *target) {
        const StateTarget *t = find_target(s, target);

        return t && t->whole ? &t->all : NULL;
}

bool state_data_owns_any(StateData *s, const char *target) {
        const StateTarget *t = find_target(s, target);

        return t && (t->whole || t->keys);
}

int state_data_know_target(StateData *s, const char *target) {
        return make_target(s, target, &(StateTarget *){ NULL });
}

void state_data_disown_key(StateData *s, const char *target, const char *key) {
        StateTarget *t = find_target(s, target);
        OwnedKey *k = state_data_find_key(s, target, key);

        if (!k)
                return;
        (void) tdelete(k, &t->keys, compare_keys);
        free(k);
        s->changed = true;
}

typedef struct Walk {
        void (*each)(const OwnedKey *k, void *userdata);
        void *userdata;
} Walk;

static void walk_keys(const void *node, VISIT which, void *closure) {
        const Walk *w = closure;

        if (which == postorder || which == leaf)
                w->each(*(OwnedKey *const *) node, w->userdata);
}

void state_data_each_key(StateData *s, const char *target, void (*each)(const OwnedKey *k, void *userdata),
                         void *userdata) {
        Walk w = { each, userdata };
        const StateTarget *t = find_target(s, target);

        if (t)
                twalk_r(t->keys, walk_keys, &w);
}

JobRecord *state_data_job(StateData *s, const char *job, bool create) {
        const JobRecord probe = { .job = job };
        void *node = tfind(&probe, &s->jobs, compare_jobs);
        JobRecord *j;

        if (node)
                return *(JobRecord **) node;
        if (!create)
                return NULL;
        j = job_record_new(job);
        if (!j)
                return NULL;
        if (!tsearch(j, &s->jobs, compare_jobs)) {
                free(j);
                return NULL;
        }
        s->changed = true;
        return j;
}

void state_data_forget_job(StateData *s, const char *job) {
        JobRecord *j = state_data_job(s, job, /* create= */ false);

        if (!j)
                return;
        (void) tdelete(j, &s->jobs, compare_jobs);
        free(j);
        s->changed = true;
}

int state_data_note_reloads(StateData *s, char *const *units, const uint8_t boot[static 16]) {
        char **copy;
        int r;

        if (strv_equal(s->reload_units, units) &&
            (strv_length(units) == 0 || memcmp(s->reload_boot, boot, sizeof(s->reload_boot)) == 0))
                return 0;
        r = strv_copy(units, &copy);
        if (r < 0)
                return r;
        strv_free(s->reload_units);
        s->reload_units = copy;
        memcpy(s->reload_boot, boot, sizeof(s->reload_boot));
        s->changed = true;
        return 0;
}

void state_data_begin_boot(StateData *s, const uint8_t boot[static 16]) {
        if (memcmp(s->reload_boot, boot, sizeof(s->reload_boot)) == 0)
                return;
        s->changed |= strv_length(s->reload_units) > 0;
        s->reload_units = strv_free(s->reload_units);
        memcpy(s->reload_boot, boot, sizeof(s->reload_boot));
}

int state_data_want_reloads(StateData *s, char *const *units) {
        STRV_FOREACH(unit, units) {
                int r;

                if (strv_contains(s->reload_units, *unit))
                        continue;
                r = strv_append(&s->reload_units, *unit);
                if (r < 0)
                        return r;
                s->changed = true;
        }
        return 0;
}

int state_data_forget_reload(StateData *s, const char *unit) {
        _cleanup_strv_ char **others = NULL;
        int r = 0;

        if (!strv_contains(s->reload_units, unit))
                return 0;
        STRV_FOREACH(noted, s->reload_units)
                if (r >= 0 && !streq(*noted, unit))
                        r = strv_append(&others, *noted);
        if (r < 0)
                return r;
        strv_free(s->reload_units);
        s->reload_units = TAKE_PTR(others);
        s->changed = true;
        return 0;
}

void state_data_touch(StateData *s) {
        s->changed = true;
}

void state_data_clear(StateData *s) {
        for (size_t i = 0; i < s->n_targets; i++) {
                tdestroy(s->targets[i].keys, free);
                free(s->targets[i].name);
        }
        free(s->targets);
        s->targets = NULL;
        s->n_targets = 0;
        tdestroy(s->jobs, free);
        s->jobs = NULL;
        s->reload_units = strv_free(s->reload_units);
}
