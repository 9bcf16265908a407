/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which keys of a target to write and which to remove, decided from what stands there, what is ours, and
 * what is wanted. Pure but for the store it asks. */

#include "base/failure.h"
#include "base/secret.h"
#include "daemon/state-data.h"
#include "model/auth-file.h"

/* What one job wants of one key. */
typedef struct Wanted {
        const char *key;
        const char *job;
        const char *robot;
        const Secret *user_pass; /* "user:secret"; NULL: nothing of ours shall stand there */
        int64_t issued;          /* of that credential, as it says itself: seconds since 1970 */
        int64_t expires;
        bool left; /* without `user_pass`: what an earlier run left under the key stays, if it is that */
        bool take_over;   /* also over somebody else's entry */
        bool stands;      /* out: there is an entry under the key already */
        Failure *failure; /* out: why this key could not be had; the caller frees it */
} Wanted;

/* A list of `n` of them, each with its failure. */
void wanted_free(Wanted *wanted, size_t n);

/* What the decision is about. */
typedef struct TargetView {
        StateData *state;
        const char *target;
        const char *path;   /* for messages */
        const Secret *text; /* the present content; NULL: no file */
} TargetView;

/* Whom an entry is for, and how it looks before and after. */
typedef struct TargetOwner {
        const char *job;              /* NULL for removals */
        Fingerprint wanted, standing; /* zero: nothing stands there */
        bool unreadable;              /* something does, and it is no user with a password */
} TargetOwner;

typedef struct TargetPlan {
        AuthEntry *entries; /* for auth_file_merge(); keys point into wanted[] or into `removed` */
        size_t n_entries;
        TargetOwner *owners; /* of each entry */
        char **removed;      /* keys that stop being ours once the file is written */
} TargetPlan;

/* Sets wanted[i].failure where a key is somebody else's. Returns 0, -EBADMSG with *reterr, -ENOMEM. */
int target_plan_make(const TargetView *view, Wanted *wanted, size_t n_wanted, TargetPlan *ret,
                     JsonError *reterr);
int target_plan_own(const TargetPlan *p, StateData *state, const char *target);
void target_plan_disown(const TargetPlan *p, StateData *state, const char *target);
void target_plan_done(TargetPlan *p);
