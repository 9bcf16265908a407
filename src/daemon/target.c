/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read, decide, merge or make, replace: one target file.
 *
 * Owns the decision which keys are ours to write and to remove (with the store), and whether a file is ours
 * as a whole. The merge itself is model/auth-file, the text of a template daemon/target-text, the file
 * daemon/target-file, what is said of it daemon/target-failure.
 *
 * Refuses to touch a file that it does not understand. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/target-base.h"
#include "daemon/target-failure.h"
#include "daemon/target-text.h"
#include "daemon/target-whole.h"
#include "daemon/target.h"
#include "model/auth-file.h"

/* Others may write at the same time, without a lock. Each round starts from what they wrote. */
#define ROUNDS_MAX 5

struct Target {
        TargetFile file;
        StateStore *store;
        char *note;
};

int target_new(const char *root, const TargetConfig *config, const char *path, StateStore *store,
               Target **ret) {
        _cleanup_(target_freep) Target *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->store = store;
        r = target_file_init(root, config, path, &t->file);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Target *target_free(Target *t) {
        if (!t)
                return NULL;
        target_file_done(&t->file);
        free(t->note);
        free(t);
        return NULL;
}

const char *target_path(const Target *t) {
        return t->file.path;
}

const char *target_note(const Target *t) {
        return t->note;
}

static StateData *state_of(const Target *t) {
        return state_store_data(t->store);
}

static bool is_orphan(const Target *t) {
        return target_config_is_orphan(t->file.config);
}

/* The file has no room for others: what it shall say is all that it says. */
static bool is_made_anew(const Target *t) {
        return t->file.config->policy == TARGET_POLICY_OWN;
}

static bool is_claimed(const Target *t) {
        return target_whole_is_claimed(state_of(t), t->file.id);
}

/* What entries are merged into. */
static const Secret *start_of(const TargetFound *f) {
        return f->from_base ? f->base : f->text;
}

/* `*ret` stays NULL if nothing has to change. Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int merge(const Target *t, const TargetFound *f, const TargetPlan *plan, Secret **ret,
                 Failure **reterr) {
        struct iovec old = secret_peek(start_of(f));
        JsonError error = {};
        int r;

        r = auth_file_merge(old.iov_base, old.iov_len, plan->entries, plan->n_entries, ret, &error);
        if (r == -EBADMSG)
                return target_fail_malformed(&t->file, f, &error, reterr);
        if (r == -EFBIG)
                return target_file_fail(&t->file, r, "written", reterr);
        return r < 0 ? r : 0;
}

static int note_whole(Target *t, const TargetFound *f, const Secret *text) {
        /* What nobody else changed yet stays ours as a whole. */
        if (text && (f->from_base || (is_orphan(t) && f->whole)))
                return target_whole_own(state_of(t), t->file.id, text, f->text);
        return 0;
}

/* It is as it shall be. */
static void let_go(Target *t, const TargetPlan *plan) {
        target_plan_disown(plan, state_of(t), t->file.id);
        if (!is_made_anew(t) && !t->file.config->bases && !is_orphan(t))
                state_data_disown_file(state_of(t), t->file.id);
}

/* Before the file changes, for nobody else knows of them after a crash. */
static int note_readers(Target *t) {
        return state_data_want_reloads(state_of(t), t->file.config->reload_units);
}

static void save_before(Target *t) {
        if (state_store_save(t->store) < 0)
                log_debug("Cannot save the state before writing %s, going on", t->file.path);
}

/* Writes `text`, or nothing if it is NULL. */
static int own_and_replace(Target *t, const TargetFound *f, TargetPlan *plan, const Secret *text,
                           Failure **reterr) {
        int r;

        /* Ours from here on, whatever happens to us before the file is written. A state that cannot be saved
         * is no reason to let a credential die. */
        r = target_plan_own(plan, state_of(t), t->file.id);
        if (r >= 0)
                r = note_whole(t, f, text);
        if (r >= 0 && text)
                r = note_readers(t);
        if (r < 0)
                return r;
        save_before(t);
        r = text ? target_file_replace(&t->file, f, text, reterr) : target_file_settle(&t->file, f, reterr);
        if (r >= 0 && r != TARGET_REFUSED)
                let_go(t, plan);
        return r;
}

/* The text that shall stand there, NULL if it does. */
static int compare_with_standing(const TargetFound *f, Secret **text) {
        struct iovec bytes = secret_peek(f->base);
        int r = 0;

        if (!f->from_base)
                return 0;
        if (!*text)
                r = secret_new(bytes.iov_base, bytes.iov_len, text);
        if (r >= 0 && f->text && secret_equal(*text, f->text))
                *text = secret_free(*text);
        return r;
}

/* Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int read_base(const Target *t, TargetFound *f, Failure **reterr) {
        int r;

        f->whole = target_whole_is_ours(state_of(t), t->file.id, f->text);
        f->from_base = t->file.config->bases && !is_made_anew(t) && !f->link && (f->whole || f->fd < 0);
        if (!f->from_base)
                return 0;
        r = target_base_read(t->file.root, t->file.config->bases, &f->base, &f->base_path);
        if (r >= 0 || r == -ENOMEM)
                return r < 0 ? r : 0;
        return target_fail_base(&t->file, f, r, reterr);
}

static int merge_and_replace(Target *t, const TargetFound *f, TargetPlan *plan, Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = merge(t, f, plan, &text, reterr);
        if (r == 0)
                r = compare_with_standing(f, &text);
        return r != 0 ? r : own_and_replace(t, f, plan, text, reterr);
}

/* Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int make_text(const Target *t, const Wanted *wanted, size_t n_wanted, Secret **ret,
                     Failure **reterr) {
        int r;

        r = target_text_make(t->file.root, t->file.config, t->file.path, wanted, n_wanted, ret, reterr);
        return r > 0 ? TARGET_REFUSED : r;
}

/* May a file become ours that was there before us? Not if something in it would be lost. What is ours in it
 * already, from a time when others had room there, is kept in line all the same, for a dead entry breaks
 * every pull. Returns 0, TARGET_REFUSED with a failure, -EAGAIN, -ENOMEM. */
static int take_over(Target *t, const TargetFound *f, Wanted *wanted, size_t n_wanted, Failure **reterr) {
        const TargetView view = { state_of(t), t->file.id, t->file.path, f->text };
        _cleanup_(target_plan_done) TargetPlan plan = {};
        bool template = t->file.config->template;
        _cleanup_free_ char *what = NULL;
        JsonError error = {};
        int r;

        r = target_plan_make(&view, wanted, n_wanted, &plan, &error);
        if (r == -EBADMSG)
                return template ? target_fail_template(&t->file, reterr)
                                : target_fail_malformed(&t->file, f, &error, reterr);
        if (r >= 0)
                r = target_whole_find_foreign(f->text, &plan, &what);
        if (r <= 0)
                return r;
        target_whole_keep_owned(state_of(t), t->file.id, &plan);
        r = merge_and_replace(t, f, &plan, reterr);
        if (r < 0 || r == TARGET_REFUSED)
                return r;
        return template ? target_fail_template(&t->file, reterr) : target_fail_own(&t->file, what, reterr);
}

static int remove_whole(Target *t, const TargetFound *f, const TargetPlan *plan, Failure **reterr) {
        int r;

        if (f->fd >= 0 && t->file.config->reload_units) {
                r = note_readers(t);
                if (r < 0)
                        return r;
                save_before(t);
        }
        r = target_file_remove(&t->file, f, reterr);
        if (r < 0 || r == TARGET_REFUSED)
                return r;
        target_plan_disown(plan, state_of(t), t->file.id);
        state_data_disown_file(state_of(t), t->file.id);
        return r;
}

static int sync_whole(Target *t, const TargetFound *f, TargetPlan *plan, Wanted *wanted, size_t n_wanted,
                      Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        int r = 0;

        if (!f->whole && secret_size(f->text) > 0)
                r = take_over(t, f, wanted, n_wanted, reterr);
        if (r == 0)
                r = make_text(t, wanted, n_wanted, &text, reterr);
        if (r != 0)
                return r;
        /* A directory that is gone took the file along. */
        if (!text || f->directory.fd < 0)
                return f->whole ? remove_whole(t, f, plan, reterr) : target_file_settle(&t->file, f, reterr);
        r = target_whole_claim(state_of(t), t->file.id);
        return r < 0 ? r : own_and_replace(t, f, plan, secret_equal(text, f->text) ? NULL : text, reterr);
}

/* Nobody wants anything of ours any more. What it hides shall be seen again; else a tool that is told to
 * read it needs something to read. */
static int end_whole(Target *t, const TargetFound *f, TargetPlan *plan, Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        if (is_orphan(t) || t->file.config->bases || !f->text)
                return remove_whole(t, f, plan, reterr);
        r = secret_new_string(TARGET_TEXT_NOTHING, &text);
        return r < 0 ? r : own_and_replace(t, f, plan, text, reterr);
}

/* Returns 0, TARGET_REFUSED with a failure, -ENOMEM. */
static int plan_for(const Target *t, const TargetFound *f, Wanted *wanted, size_t n_wanted, TargetPlan *ret,
                    Failure **reterr) {
        bool says_nothing = is_made_anew(t) ? n_wanted > 0 || f->whole : is_claimed(t) && !f->from_base;
        const TargetView view = { state_of(t), t->file.id, t->file.path, says_nothing ? NULL : start_of(f) };
        JsonError error = {};
        int r;

        r = target_plan_make(&view, wanted, n_wanted, ret, &error);
        /* A file that shall become ours, and is not yet, is none of our business before there is a need. */
        if (r == -EBADMSG && is_made_anew(t))
                return 0;
        return r == -EBADMSG ? target_fail_malformed(&t->file, f, &error, reterr) : r;
}

static bool adds_any(const Wanted *wanted, size_t n_wanted) {
        for (size_t i = 0; i < n_wanted; i++)
                if (wanted[i].user_pass)
                        return true;
        return false;
}

/* Returns 0 or -ENOMEM. */
static int set_note(Target *t, const TargetFound *f, bool adds) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = target_describe_note(&t->file, f, adds, &text);
        if (r >= 0)
                r = free_and_strdup(&t->note, text);
        if (r > 0 && text)
                log_warning("%s", text);
        return r < 0 ? r : 0;
}

static void count_key(const OwnedKey *k, void *userdata) {
        (*(size_t *) userdata)++;
}

/* What an earlier run left stays as long as nobody has anything to say in its place, and all of it shall
 * stay: the file of a template cannot be read back, so nothing can be taken out of it. Returns whether it
 * does. */
static bool keeps_left(const Target *t, const TargetFound *f, bool adds, Wanted *wanted, size_t n_wanted) {
        size_t n_keys = 0, n_left = 0;
        bool keeps;

        state_data_each_key(state_of(t), t->file.id, count_key, &n_keys);
        for (size_t i = 0; i < n_wanted; i++) {
                const OwnedKey *k = state_data_find_key(state_of(t), t->file.id, wanted[i].key);

                wanted[i].left = wanted[i].left && k && streq(k->job, wanted[i].job);
                n_left += wanted[i].left;
        }
        keeps = !adds && f->whole && f->fd >= 0 && n_left > 0 && n_left == n_keys;
        for (size_t i = 0; i < n_wanted && !keeps; i++)
                wanted[i].left = false;
        return keeps;
}

static int sync_once(Target *t, Wanted *wanted, size_t n_wanted, Failure **reterr) {
        _cleanup_(target_found_done) TargetFound f = TARGET_FOUND_NONE;
        _cleanup_(target_plan_done) TargetPlan plan = {};
        bool is_ours = state_data_owns_any(state_of(t), t->file.id), adds = adds_any(wanted, n_wanted);
        bool is_there;
        int r;

        r = target_file_open_directory(&t->file, &f, adds ? TO_ADD : TO_REMOVE, is_ours, reterr);
        is_there = r == 1;
        if (is_there)
                r = target_file_open(&t->file, &f, is_ours, reterr);
        if (r == 0 && set_note(t, &f, adds) < 0)
                return -ENOMEM;
        /* Nothing to be done in a home that is not there. */
        if (r == 0 && !is_there && adds)
                return target_file_settle(&t->file, &f, reterr);
        if (r == 0)
                r = read_base(t, &f, reterr);
        if (r == 0 && keeps_left(t, &f, adds, wanted, n_wanted))
                return target_file_settle(&t->file, &f, reterr);
        n_wanted = adds ? n_wanted : 0;
        if (r == 0)
                r = plan_for(t, &f, wanted, n_wanted, &plan, reterr);
        if (r != 0)
                return r;
        if (is_made_anew(t) && (n_wanted > 0 || f.whole))
                return sync_whole(t, &f, &plan, wanted, n_wanted, reterr);
        if (f.whole && !adds)
                return end_whole(t, &f, &plan, reterr);
        /* What it is made of is in a file that is broken or gone. */
        if (is_orphan(t) && is_claimed(t))
                return target_file_settle(&t->file, &f, reterr);
        if (is_claimed(t) && !f.from_base)
                f.text = secret_free(f.text);
        /* Nothing to say and no file: do not make one that says nothing. */
        if (plan.n_entries == 0 && !(f.from_base && f.text)) {
                r = target_file_settle(&t->file, &f, reterr);
                if (r == TARGET_UNCHANGED)
                        let_go(t, &plan);
                return r;
        }
        return merge_and_replace(t, &f, &plan, reterr);
}

int target_sync(Target *t, Wanted *wanted, size_t n_wanted, Failure **reterr_failure) {
        int r = -EAGAIN;

        t->file.in_line = false;

        for (unsigned round = 0; r == -EAGAIN && round < ROUNDS_MAX; round++)
                r = sync_once(t, wanted, n_wanted, reterr_failure);
        /* It may have become somebody else's. */
        if (r >= 0 && r != TARGET_REFUSED && is_orphan(t) && n_wanted == 0)
                state_data_disown_file(state_of(t), t->file.id);
        if (r != -EAGAIN)
                return r;
        r = failure_new(reterr_failure, STEP_PUBLICATION, REASON_TARGET_UNWRITABLE,
                        "The target file %s is being rewritten by another program all the time",
                        t->file.path);
        return r < 0 ? r : TARGET_REFUSED;
}

bool target_is_as_left(const Target *t) {
        return !t->note && target_file_is_as_left(&t->file);
}

int target_preview(const Target *t, Wanted *wanted, size_t n_wanted, Secret **ret, Failure **reterr) {
        _cleanup_(target_found_done) TargetFound f = TARGET_FOUND_NONE;
        _cleanup_(target_plan_done) TargetPlan plan = {};
        _cleanup_secret_ Secret *text = NULL;
        bool is_ours = state_data_owns_any(state_of(t), t->file.id);
        int r;

        if (is_made_anew(t)) {
                r = make_text(t, wanted, n_wanted, ret, reterr);
                return r != 0 || *ret ? r : secret_new("", 0, ret);
        }
        r = target_file_open_directory(&t->file, &f, TO_SHOW, is_ours, reterr);
        if (r == 1)
                r = target_file_open(&t->file, &f, is_ours, reterr);
        /* It is being replaced right now; what it holds is told as well as anything. */
        if (r == -EAGAIN)
                r = 0;
        if (r == 0)
                r = read_base(t, &f, reterr);
        if (r == 0)
                r = plan_for(t, &f, wanted, n_wanted, &plan, reterr);
        if (r == 0 && plan.n_entries > 0)
                r = merge(t, &f, &plan, &text, reterr);
        if (r < 0 || r == TARGET_REFUSED)
                return r;
        if (text)
                *ret = TAKE_PTR(text);
        else if (f.from_base && f.text && f.base)
                *ret = TAKE_PTR(f.base);
        else if (f.text)
                *ret = TAKE_PTR(f.text);
        else
                return secret_new("", 0, ret);
        return 0;
}

void target_sweep(Target *t) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        int r;

        if (target_directory_open(t->file.root, t->file.id, 0, &d, NULL) < 0)
                return;
        r = file_replace_sweep(d.fd, d.name);
        if (r > 0)
                log_info("Removed %d temporary files that a killed writer left beside %s", r, t->file.path);
}
