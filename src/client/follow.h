/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All jobs as they are at this moment, kept so by the signals of the daemon. */

#include "client/client.h"

typedef struct Follow Follow;

/* Whatever is NULL is not wanted. Handlers may ask for the jobs, and must not free the follower. */
typedef struct FollowObserver {
        /* A job may show something else than before, or is there for the first time (`before` is NULL). */
        void (*job)(const JobSnapshot *job, const JobSnapshot *before, void *userdata);
        void (*removed)(const JobSnapshot *last, void *userdata);
        void (*event)(const JobEvent *event, const JobSnapshot *job, void *userdata);
        void (*vanished)(void *userdata); /* the daemon; its jobs are forgotten behind this */
        void (*appeared)(void *userdata); /* its jobs follow, each for the first time */
        void (*failed)(const BusProblem *problem, void *userdata); /* a look at the jobs */
        void (*disconnected)(void *userdata);
        void *userdata;
} FollowObserver;

/* Listens from now on and asks for all jobs; once per client. Returns 0 or a negative errno. */
int follow_new(Client *client, const FollowObserver *observer, Follow **ret);
Follow *follow_free(Follow *f);
DEFINE_CLEANUP(Follow *, follow_free)

/* Whether the first look is over, and with it an answer was there or `failed` was called. */
bool follow_is_complete(const Follow *f);
/* What the last look at all of it brought, with the jobs as they are now, sorted by name; NULL before. Not
 * valid any more when the event loop has run. */
const Snapshot *follow_snapshot(Follow *f);
/* The job of this name as it is now, or NULL. */
const JobSnapshot *follow_find(const Follow *f, const char *name);
