/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state store in memory and its life on disk; how the file reads is state-file.c.
 *
 * Owns "state.json" and the trees of owned keys and job records. Refuses to hold a secret: of what stands in
 * targets it keeps salted hashes. A file that cannot be read never keeps the daemon from starting. */

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/state-file.h"
#include "daemon/state-store.h"

#define STATE_FILE "state.json"
#define STATE_FILE_ASIDE "state.json.unusable"
#define STATE_FILE_MAX (16 * 1024 * 1024)

static int compare_keys(const void *a, const void *b) {
        return strcmp(((const OwnedKey *) a)->key, ((const OwnedKey *) b)->key);
}

static int compare_jobs(const void *a, const void *b) {
        return strcmp(((const JobRecord *) a)->job, ((const JobRecord *) b)->job);
}

static void owned_key_free(void *p) {
        OwnedKey *k = p;

        free(k->key);
        free(k->job);
        free(k);
}

static void job_record_free(void *p) {
        JobRecord *j = p;

        free(j->job);
        free(j);
}

static StateTarget *find_target(StateStore *s, const char *name) {
        for (size_t i = 0; i < s->n_targets; i++)
                if (streq(s->targets[i].name, name))
                        return s->targets + i;
        return NULL;
}

static int make_target(StateStore *s, const char *name, StateTarget **ret) {
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

const uint8_t *state_store_salt(const StateStore *s) {
        return s->salt;
}

void state_store_fingerprint(const StateStore *s, const void *data, size_t size, Fingerprint *ret) {
        const HashPart parts[] = { { "pullauth-entry", 14 }, { s->salt, sizeof(s->salt) }, { data, size } };

        hash_parts(parts, ELEMENTSOF(parts), ret->bytes);
}

OwnedKey *state_store_find_key(StateStore *s, const char *target, const char *key) {
        const OwnedKey probe = { .key = (char *) key };
        StateTarget *t = find_target(s, target);
        void *node = t ? tfind(&probe, &t->keys, compare_keys) : NULL;

        return node ? *(OwnedKey **) node : NULL;
}

static int insert_key(StateTarget *t, const char *key, OwnedKey **ret) {
        OwnedKey *k = calloc(1, sizeof(*k));

        if (!k)
                return -ENOMEM;
        k->key = strdup(key);
        if (!k->key || !tsearch(k, &t->keys, compare_keys)) {
                owned_key_free(k);
                return -ENOMEM;
        }
        *ret = k;
        return 0;
}

int state_store_own_key(StateStore *s, const char *target, const char *key, const char *job,
                        const Fingerprint *now) {
        OwnedKey *k = state_store_find_key(s, target, key);
        StateTarget *t;
        int r;

        if (!k) {
                r = make_target(s, target, &t);
                if (r >= 0)
                        r = insert_key(t, key, &k);
                if (r < 0)
                        return r;
        }
        r = free_and_strdup(&k->job, job);
        if (r < 0)
                return r;
        if (memcmp(&k->current, now, sizeof(*now)) != 0) {
                k->previous = k->current;
                k->current = *now;
                r = 1;
        }
        if (r > 0)
                s->changed = true;
        return 0;
}

void state_store_disown_key(StateStore *s, const char *target, const char *key) {
        StateTarget *t = find_target(s, target);
        OwnedKey *k = state_store_find_key(s, target, key);

        if (!k)
                return;
        (void) tdelete(k, &t->keys, compare_keys);
        owned_key_free(k);
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

void state_store_each_key(StateStore *s, const char *target, void (*each)(const OwnedKey *k, void *userdata),
                          void *userdata) {
        Walk w = { each, userdata };
        const StateTarget *t = find_target(s, target);

        if (t)
                twalk_r(t->keys, walk_keys, &w);
}

JobRecord *state_store_job(StateStore *s, const char *job, bool create) {
        const JobRecord probe = { .job = (char *) job };
        void *node = tfind(&probe, &s->jobs, compare_jobs);
        JobRecord *j;

        if (node)
                return *(JobRecord **) node;
        if (!create)
                return NULL;
        j = calloc(1, sizeof(*j));
        if (!j)
                return NULL;
        j->job = strdup(job);
        if (!j->job || !tsearch(j, &s->jobs, compare_jobs)) {
                job_record_free(j);
                return NULL;
        }
        s->changed = true;
        return j;
}

void state_store_forget_job(StateStore *s, const char *job) {
        JobRecord *j = state_store_job(s, job, /* create= */ false);

        if (!j)
                return;
        (void) tdelete(j, &s->jobs, compare_jobs);
        job_record_free(j);
        s->changed = true;
}

void state_store_touch(StateStore *s) {
        s->changed = true;
}

static void clear_content(StateStore *s) {
        for (size_t i = 0; i < s->n_targets; i++) {
                tdestroy(s->targets[i].keys, owned_key_free);
                free(s->targets[i].name);
        }
        free(s->targets);
        s->targets = NULL;
        s->n_targets = 0;
        tdestroy(s->jobs, job_record_free);
        s->jobs = NULL;
}

StateStore *state_store_free(StateStore *s) {
        if (!s)
                return NULL;
        clear_content(s);
        closep(&s->dir_fd);
        free(s);
        return NULL;
}

int state_store_save(StateStore *s) {
        _cleanup_free_ char *text = NULL;
        FileReplace replace;
        size_t size;
        int r;

        if (!s->changed)
                return 0;
        r = state_file_print(s, &text, &size);
        if (r < 0)
                return r;
        replace = (FileReplace){
                .dir_fd = s->dir_fd,
                .name = STATE_FILE,
                .data = text,
                .size = size,
                .old_fd = -EBADF,
                .mode = 0600,
                .uid = (uid_t) -1,
                .gid = (gid_t) -1,
                .flags = FILE_REPLACE_SYNC,
        };
        r = file_replace(&replace);
        if (r < 0)
                return r;
        s->changed = false;
        return 0;
}

static int open_directory(const char *path, int *ret_fd) {
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return *ret_fd < 0 ? -errno : 0;
}

/* Returns 1 if there was a file and it was understood, 0 with *reterr_problem if it was not, 0 without one if
 * there is none. */
static int load(StateStore *s, char **reterr_problem) {
        _cleanup_secret_ Secret *text = NULL;
        const char *problem = NULL;
        int r;

        r = file_read(s->dir_fd, STATE_FILE, STATE_FILE_MAX, FILE_READ_OWNED, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                problem = strerrordesc_np(-r);
        else {
                struct iovec bytes = secret_peek(text);

                r = state_file_parse(bytes.iov_base, bytes.iov_len, s, &problem);
                if (r >= 0)
                        return 1;
                if (r == -ENOMEM)
                        return r;
        }
        clear_content(s);
        r = text_format(reterr_problem, "The state file cannot be used (%s), it was set aside as %s",
                        strempty(problem), STATE_FILE_ASIDE);
        if (r < 0)
                return r;
        (void) renameat(s->dir_fd, STATE_FILE, s->dir_fd, STATE_FILE_ASIDE);
        return 0;
}

int state_store_open(const char *directory, StateStore **ret, char **reterr_problem) {
        _cleanup_(state_store_freep) StateStore *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->dir_fd = -EBADF;
        r = open_directory(directory, &s->dir_fd);
        if (r < 0)
                return r;
        (void) file_replace_sweep(s->dir_fd, STATE_FILE);
        r = load(s, reterr_problem);
        if (r == 0) {
                /* Up to 256 bytes come whole or not at all (getrandom(2)). */
                if (getrandom(s->salt, sizeof(s->salt), 0) != (ssize_t) sizeof(s->salt))
                        r = -EIO;
                s->changed = true;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}
