/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state store as text. Pure: for daemon/state-store.c alone. */

#include "daemon/state-store.h"

#define STATE_VERSION 1

typedef struct StateTarget {
        char *name;
        void *keys; /* tsearch(3) tree of OwnedKey by key */
} StateTarget;

struct StateStore {
        int dir_fd;
        bool changed;
        uint8_t salt[STATE_SALT_SIZE];
        StateTarget *targets;
        size_t n_targets;
        void *jobs; /* tsearch(3) tree of JobRecord by job */
};

/* Returns 0 or -ENOMEM. */
int state_file_print(const StateStore *s, char **ret, size_t *ret_size);
/* Fills the empty store. Returns 0; -EBADMSG with a static text in *reterr, the store half filled then;
 * -ENOMEM. */
int state_file_parse(const char *text, size_t size, StateStore *s, const char **reterr);
