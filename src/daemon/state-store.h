/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What survives a restart: which keys of which targets are ours, when jobs were refreshed and are due, the
 * install salt. One versioned JSON file, replaced atomically, without secrets. */

#include "base/clock.h"
#include "base/hash.h"
#include "base/macro.h"

#define STATE_SALT_SIZE 16

typedef struct StateStore StateStore;

/* What an entry of a target looked like when we wrote it: a salted hash, so that we can tell our entries from
 * ones that others put in their place, without keeping the secret. Zero: none. */
typedef struct Fingerprint {
        uint8_t bytes[HASH_SIZE];
} Fingerprint;

/* A key of a target that is ours. `previous` is what stood there before `current`; after a crash between
 * saving and writing it is what stands there still. */
typedef struct OwnedKey {
        char *key;
        char *job;
        Fingerprint current;
        Fingerprint previous;
} OwnedKey;

/* The schedule of a job's credential, to be taken up again after a restart. */
typedef struct JobRecord {
        char *job;
        uint64_t issued;                /* iat of the credential that this is about; 0: none */
        usec_t obtained_boot, due_boot; /* meaningful on the boot with this id only */
        uint8_t boot_id[16];
        usec_t obtained_real;
        usec_t last_success_real;
} JobRecord;

/* Opens "state.json" in `directory` (made if missing, 0700). A file that cannot be understood (torn, not
 * ours, of a newer version) is set aside as "state.json.unusable" and told through *reterr_problem (a
 * malloc'ed sentence; NULL if all is well); that is no error: the store then starts empty.
 * Returns 0, or a negative errno when nothing can be stored at all. */
int state_store_open(const char *directory, StateStore **ret, char **reterr_problem);
StateStore *state_store_free(StateStore *s);
DEFINE_CLEANUP(StateStore *, state_store_free)

const uint8_t *state_store_salt(const StateStore *s); /* STATE_SALT_SIZE bytes */
void state_store_fingerprint(const StateStore *s, const void *data, size_t size, Fingerprint *ret);

/* NULL if the key is not ours. The pointer is valid until the next change of that target's keys. */
OwnedKey *state_store_find_key(StateStore *s, const char *target, const char *key);
/* Notes that `key` will hold what `now` fingerprints; a repeated call with the same one changes nothing. */
int state_store_own_key(StateStore *s, const char *target, const char *key, const char *job,
                        const Fingerprint *now);
void state_store_disown_key(StateStore *s, const char *target, const char *key);
/* Calls `each` for all keys of a target in order; `each` may not change the store. */
void state_store_each_key(StateStore *s, const char *target, void (*each)(const OwnedKey *k, void *userdata),
                          void *userdata);

/* NULL if there is none; made if `create`, then NULL only without memory. */
JobRecord *state_store_job(StateStore *s, const char *job, bool create);
void state_store_forget_job(StateStore *s, const char *job);

void state_store_touch(StateStore *s); /* a record was changed */
/* Writes the file if anything changed since the last save. Returns 0 or a negative errno; the change stays
 * noted then. */
int state_store_save(StateStore *s);
