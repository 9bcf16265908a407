/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which Secrets of clusters there are to look after.
 *
 * Owns the slots, one for each target in a cluster and for each that went and has not been cleaned up yet,
 * and who this host is to a cluster. When to look, and what to do, is daemon/cluster-slot. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <systemd/sd-id128.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/cluster-slot.h"
#include "daemon/clusters.h"

struct Clusters {
        ClustersContext settings;
        ClusterContext context; /* of the slots */
        char *owner, *host;
        ClusterSlot **slots;
        size_t n_slots;
        bool begun; /* no job has its first attempt before it */
};

static const char *place_of(const ClusterSlot *s) {
        return cluster_slot_config(s)->paths[0];
}

static void remove_slot(Clusters *c, size_t at) {
        cluster_slot_free(c->slots[at]);
        c->n_slots--;
        memmove(c->slots + at, c->slots + at + 1, (c->n_slots - at) * sizeof(*c->slots));
}

static void on_gone(ClusterSlot *s, void *userdata) {
        Clusters *c = userdata;

        for (size_t i = 0; i < c->n_slots; i++)
                if (c->slots[i] == s) {
                        remove_slot(c, i);
                        return;
                }
}

static int add_slot(Clusters *c, TargetConfig *config) {
        ClusterSlot **grown;
        int r;

        grown = reallocarray(c->slots, c->n_slots + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        c->slots = grown;
        r = cluster_slot_new(&c->context, config, c->slots + c->n_slots);
        if (r < 0)
                return r;
        c->n_slots++;
        if (c->begun)
                cluster_slot_mark(c->slots[c->n_slots - 1]);
        return 0;
}

/* Called so by the target, not by what is left of one. */
static ClusterSlot *find_slot(const Clusters *c, const char *target) {
        for (size_t i = 0; i < c->n_slots; i++)
                if (!cluster_slot_is_leaving(c->slots[i]) &&
                    streq(cluster_slot_config(c->slots[i])->name, target))
                        return c->slots[i];
        return NULL;
}

static bool has_place(const Clusters *c, const char *place) {
        for (size_t i = 0; i < c->n_slots; i++)
                if (streq(place_of(c->slots[i]), place))
                        return true;
        return false;
}

typedef enum Fate {
        STAYS,
        GOES,     /* what is ours in its place goes, too */
        REPLACED, /* its place is that of another target from now on */
} Fate;

static Fate fate_of(const ClusterSlot *s, TargetConfig *const *targets, size_t n) {
        Fate fate = GOES;

        for (size_t i = 0; i < n; i++) {
                if (target_config_equal(cluster_slot_config(s), targets[i]))
                        return cluster_slot_is_leaving(s) ? REPLACED : STAYS;
                if (targets[i]->cluster && streq(targets[i]->paths[0], place_of(s)))
                        fate = REPLACED;
        }
        return fate;
}

/* From behind: slots may go. */
static int settle_slots(Clusters *c, TargetConfig *const *targets, size_t n) {
        for (size_t i = c->n_slots; i > 0; i--) {
                ClusterSlot *s = c->slots[i - 1];
                Fate fate = fate_of(s, targets, n);
                int r;

                if (fate == REPLACED)
                        remove_slot(c, i - 1);
                r = fate == GOES && !cluster_slot_is_leaving(s) ? cluster_slot_leave(s) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

typedef struct Keys {
        char **keys;
        int error;
} Keys;

static void note_key(const OwnedKey *k, void *userdata) {
        Keys *keys = userdata;

        if (keys->error >= 0)
                keys->error = strv_append(&keys->keys, k->key);
}

/* A target that went while nobody ran: how its cluster was reached is not known any more. */
static int give_up(Clusters *c, const char *place) {
        StateData *state = state_store_data(c->settings.store);
        Keys keys = {};

        log_warning("%s is no target any more, and nothing says how to reach it: remove there by hand what "
                    "pullauthd wrote into it",
                    place);
        state_data_each_key(state, place, note_key, &keys);
        STRV_FOREACH(key, keys.keys)
                state_data_disown_key(state, place, *key);
        strv_free(keys.keys);
        return keys.error;
}

/* What a job wants there still whose own files, or whose target's, are broken will have its target again.
 * Where no job names the target any more, that was while nobody ran. */
static int look_after(Clusters *c, const char *place) {
        const PublisherClient *client = &c->settings.client;
        _cleanup_(target_config_freep) TargetConfig *orphan = NULL, *config = NULL;
        Wanted *wanted = NULL;
        size_t n = 0;
        int r;

        r = target_config_new_orphan(place, &orphan);
        if (r >= 0)
                r = client->collect(orphan, &wanted, &n, client->userdata);
        wanted_free(wanted, n);
        if (r < 0 || n > 0)
                return r;
        if (c->settings.find(place, &config, client->userdata) == 0)
                return give_up(c, place);
        r = add_slot(c, config);
        return r < 0 ? r : cluster_slot_leave(c->slots[c->n_slots - 1]);
}

int clusters_set_targets(Clusters *c, TargetConfig *const *targets, size_t n) {
        const StateData *state = state_store_data(c->settings.store);
        int r;

        r = settle_slots(c, targets, n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (targets[i]->cluster && !find_slot(c, targets[i]->name))
                        r = add_slot(c, targets[i]);
        for (size_t i = 0; r >= 0 && i < state->n_targets; i++) {
                const char *place = state->targets[i].name;

                if (startswith(place, CLUSTER_PLACE_PREFIX) && !has_place(c, place) &&
                    state_data_owns_any(state_store_data(c->settings.store), place))
                        r = look_after(c, place);
        }
        return r < 0 ? r : 0;
}

void clusters_mark(Clusters *c, const char *target) {
        ClusterSlot *s = find_slot(c, target);

        if (s)
                cluster_slot_mark(s);
}

void clusters_begin(Clusters *c) {
        c->begun = true;
        clusters_mark_all(c);
}

void clusters_mark_all(Clusters *c) {
        for (size_t i = 0; c->begun && i < c->n_slots; i++)
                cluster_slot_mark(c->slots[i]);
}

void clusters_reset_failed(Clusters *c, const char *target) {
        ClusterSlot *s = find_slot(c, target);

        if (s)
                cluster_slot_reset_failed(s);
}

const char *clusters_place(const Clusters *c, const char *target) {
        const ClusterSlot *s = find_slot(c, target);

        return s ? place_of(s) : NULL;
}

/* Who we are to a cluster: what stays as long as this is the same system, and what people call it. */
static int name_host(Clusters *c) {
        struct utsname u;
        sd_id128_t id;
        char hex[SD_ID128_STRING_MAX];
        int r;

        if (uname(&u) < 0)
                return -errno;
        memcpy(id.bytes, c->settings.host, sizeof(id.bytes));
        r = free_and_strdup(&c->host, u.nodename);
        return r < 0 ? r
                     : free_and_strdup(&c->owner,
                                       sd_id128_is_null(id) ? u.nodename : sd_id128_to_string(id, hex));
}

int clusters_new(const ClustersContext *context, Clusters **ret) {
        _cleanup_(clusters_freep) Clusters *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->settings = *context;
        r = name_host(c);
        if (r < 0)
                return r;
        c->context = (ClusterContext){
                .event = context->event,
                .root = context->root,
                .store = context->store,
                .worker = context->worker,
                .owner = c->owner,
                .host = c->host,
                .client = context->client,
                .gone = on_gone,
                .userdata = c,
        };
        *ret = TAKE_PTR(c);
        return 0;
}

Clusters *clusters_free(Clusters *c) {
        if (!c)
                return NULL;
        while (c->n_slots > 0)
                remove_slot(c, c->n_slots - 1);
        free(c->slots);
        free(c->owner);
        free(c->host);
        free(c);
        return NULL;
}
