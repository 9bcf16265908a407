/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What survives a restart, in memory: which keys of which targets are ours, when jobs were refreshed and
 * are due, the install salt. No secrets: of what stands in targets it keeps salted hashes. */

#include "base/clock.h"
#include "base/hash.h"
#include "base/macro.h"
#include "base/secret.h"

#define STATE_SALT_SIZE 16

/* What an entry of a target looked like when we wrote it: a salted hash, so that we can tell our entries
 * from ones that others put in their place, without keeping the secret. Zero: none. */
typedef struct Fingerprint {
        uint8_t bytes[HASH_SIZE];
} Fingerprint;

/* What we wrote last. `previous` is what stood there before `current` was going to be written; after a crash
 * between saving and writing, or writes that failed, it is what stands there still. */
typedef struct Written {
        Fingerprint current;
        Fingerprint previous;
} Written;

bool fingerprint_is_none(const Fingerprint *f);
/* Is that something we wrote? */
bool written_is(const Written *w, const Fingerprint *print);

/* A key of a target that is ours. */
typedef struct OwnedKey {
        const char *key, *job; /* stand behind this */
        Written written;
} OwnedKey;

/* The schedule of a job's credential, to be taken up again after a restart. */
typedef struct JobRecord {
        const char *job; /* stands behind this */
        /* Of the credential that this is about, by the clock of who made it; 0: none is. `expires` is 0
         * in what older versions wrote. */
        uint64_t issued, expires;
        /* Meaningful on the boot with this id only. expires_boot is 0 in what older versions wrote. */
        usec_t obtained_boot, due_boot, expires_boot;
        bool estimated; /* expires_boot was worked out from the real clock */
        uint8_t boot_id[16];
        usec_t obtained_real;
        usec_t last_success_real;
} JobRecord;

typedef struct StateTarget {
        char *name; /* the path as it is configured: whatever the target is called, a file is a file */
        void *keys; /* tsearch(3) tree of OwnedKey by key */
        /* The file is ours as a whole, beside the keys that are: as long as it is as we wrote it, or, if
         * all.current is none, whatever it says. */
        bool whole;
        Written all;
} StateTarget;

typedef struct StateData {
        bool changed; /* since it was last saved */
        uint8_t salt[STATE_SALT_SIZE];
        StateTarget *targets;
        size_t n_targets;
        void *jobs; /* tsearch(3) tree of JobRecord by job */
        /* Units that are still to be told that a target changed, on the boot with this id. Noted before the
         * target is written; of one that could not be, they may be told for nothing. */
        char **reload_units;
        uint8_t reload_boot[16];
} StateData;

/* Empties it; the salt stays. */
void state_data_clear(StateData *s);

void state_data_fingerprint(const StateData *s, const void *data, size_t size, Fingerprint *ret);
/* Of an entry, "user:password": that of its base64, which is what stands in a file. Returns 0 or -ENOMEM. */
int state_data_fingerprint_entry(const StateData *s, const Secret *user_pass, Fingerprint *ret);

/* Here and below `target` is the path of a file, as it is configured.
 * NULL if the key is not ours. The pointer is valid until the next change of that target's keys. */
OwnedKey *state_data_find_key(StateData *s, const char *target, const char *key);
/* Notes that `key` will hold what `now` fingerprints; a repeated call with the same one changes nothing.
 * `standing` is what stands there until it is written: if that is ours, it stays so. NULL: not known. */
int state_data_own_key(StateData *s, const char *target, const char *key, const char *job,
                       const Fingerprint *now, const Fingerprint *standing);
/* A file that held keys of ours once: what a killed writer left beside it has to be found. */
int state_data_know_target(StateData *s, const char *target);
void state_data_disown_key(StateData *s, const char *target, const char *key);
/* The same of a file as a whole; `now` is none: whatever it says. */
int state_data_own_file(StateData *s, const char *target, const Fingerprint *now,
                        const Fingerprint *standing);
void state_data_disown_file(StateData *s, const char *target);
/* NULL if it is not ours. */
const Written *state_data_find_file(StateData *s, const char *target);
/* Something of it is ours: the whole, or a key. */
bool state_data_owns_any(StateData *s, const char *target);
/* Calls `each` for all keys of a target in order; `each` may not change the store. */
void state_data_each_key(StateData *s, const char *target, void (*each)(const OwnedKey *k, void *userdata),
                         void *userdata);

/* In the place of those that were noted before; NULL: none. Returns 0 or -ENOMEM. */
int state_data_note_reloads(StateData *s, char *const *units, const uint8_t boot[static 16]);
/* After a boot each unit was started anew: what was noted on another one is forgotten. */
void state_data_begin_boot(StateData *s, const uint8_t boot[static 16]);
/* Beside those that are noted. Returns 0 or -ENOMEM. */
int state_data_want_reloads(StateData *s, char *const *units);
/* The unit was told. Returns 0, also if it was not noted, or -ENOMEM. */
int state_data_forget_reload(StateData *s, const char *unit);

/* NULL if there is none; made if `create`, then NULL only without memory. */
JobRecord *state_data_job(StateData *s, const char *job, bool create);
void state_data_forget_job(StateData *s, const char *job);

void state_data_touch(StateData *s); /* a record was changed */
