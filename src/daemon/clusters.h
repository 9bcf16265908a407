/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keeps the Secrets of targets in clusters in line with what jobs want, as daemon/publisher keeps files:
 * told that something changed, it asks for all that is wanted when the time comes. The worker does what has
 * to be done. */

#include "daemon/publisher-client.h"
#include "daemon/state-store.h"
#include "daemon/worker-link.h"

typedef struct Clusters Clusters;

typedef struct ClustersContext {
        sd_event *event;
        const char *root;
        StateStore *store;
        WorkerLink *worker;
        const uint8_t *host; /* 16 bytes that tell this host from all others; zeroes: its name does */
        PublisherClient client;
        /* The target of that place, although no job names it. Returns 1 with one that the caller frees, or
         * 0. */
        int (*find)(const char *place, TargetConfig **ret, void *userdata);
} ClustersContext;

/* What the context points to must outlive it. */
int clusters_new(const ClustersContext *context, Clusters **ret);
Clusters *clusters_free(Clusters *c);
DEFINE_CLEANUP(Clusters *, clusters_free)

/* Those of `targets` that are in clusters, and no others: as publisher_set_targets(). What went is taken out
 * of its cluster as its own configuration says, as long as this program runs. */
int clusters_set_targets(Clusters *c, TargetConfig *const *targets, size_t n);

/* Each job has had its first attempt. Until then only what jobs publish is a reason to look: after a reboot
 * what stands in a cluster may be good still, and what will be wanted there is not known yet. */
void clusters_begin(Clusters *c);
/* As those of daemon/publisher. */
void clusters_mark(Clusters *c, const char *target);
void clusters_mark_all(Clusters *c);
void clusters_reset_failed(Clusters *c, const char *target);
const char *clusters_place(const Clusters *c, const char *target);
