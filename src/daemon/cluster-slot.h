/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One Secret of a cluster, kept in line with what jobs want of it. */

#include "daemon/publisher-client.h"
#include "daemon/state-store.h"
#include "daemon/worker-link.h"

typedef struct ClusterSlot ClusterSlot;

/* What all of them share. */
typedef struct ClusterContext {
        sd_event *event;
        const char *root;
        StateStore *store;
        WorkerLink *worker;
        const char *owner, *host; /* this host: its id, and what people call it */
        PublisherClient client;
        /* Nothing of ours is left in the Secret of a target that went; the slot may be freed inside. */
        void (*gone)(ClusterSlot *s, void *userdata);
        void *userdata;
} ClusterContext;

/* Does nothing until it is marked. Returns 0 or a negative errno. */
int cluster_slot_new(const ClusterContext *context, TargetConfig *config, ClusterSlot **ret);
ClusterSlot *cluster_slot_free(ClusterSlot *s);
DEFINE_CLEANUP(ClusterSlot *, cluster_slot_free)

/* Something changed. A round that is under way is followed by another one. */
void cluster_slot_mark(ClusterSlot *s);
void cluster_slot_reset_failed(ClusterSlot *s);
/* The target went: what is ours goes, too, but for what is wanted there still. Returns 0 or -ENOMEM. */
int cluster_slot_leave(ClusterSlot *s);
bool cluster_slot_is_leaving(const ClusterSlot *s);
const TargetConfig *cluster_slot_config(const ClusterSlot *s);
