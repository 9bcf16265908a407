/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which targets there are, and who writes them: slots those in files (daemon/target-slot), and
 * daemon/clusters those in clusters.
 *
 * Owns the slots. Files that hold entries of ours and belong to no target that a job names are targets as
 * well, of which nothing is wanted, until there is nothing of ours in them. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/cluster-plan.h"
#include "daemon/publisher.h"
#include "daemon/target-slot.h"

struct Publisher {
        TargetSlotContext context;
        char *root;
        Clusters *clusters;
        TargetSlot **slots;
        size_t n_slots;
};

static void remove_slot(Publisher *p, size_t at) {
        target_slot_free(p->slots[at]);
        p->n_slots--;
        memmove(p->slots + at, p->slots + at + 1, (p->n_slots - at) * sizeof(*p->slots));
}

/* The last step of a slot's. */
static void on_over(TargetSlot *s, void *userdata) {
        Publisher *p = userdata;

        for (size_t i = 0; i < p->n_slots; i++)
                if (p->slots[i] == s) {
                        remove_slot(p, i);
                        return;
                }
}

/* Consumes `config`. */
static int add_slot(Publisher *p, TargetConfig *config) {
        TargetSlot **grown;
        int r;

        grown = reallocarray(p->slots, p->n_slots + 1, sizeof(*grown));
        if (!grown) {
                target_config_free(config);
                return -ENOMEM;
        }
        p->slots = grown;
        r = target_slot_new(&p->context, config, p->slots + p->n_slots);
        if (r >= 0)
                p->n_slots++;
        return r;
}

int publisher_new(sd_event *event, const char *root, StateStore *store, const PublisherClient *client,
                  Publisher **ret) {
        _cleanup_(publisher_freep) Publisher *p = NULL;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->root = strdup(root);
        if (!p->root)
                return -ENOMEM;
        p->context = (TargetSlotContext){
                .event = sd_event_ref(event),
                .root = p->root,
                .store = store,
                .client = *client,
                .over = on_over,
                .userdata = p,
        };
        *ret = TAKE_PTR(p);
        return 0;
}

Publisher *publisher_free(Publisher *p) {
        if (!p)
                return NULL;
        while (p->n_slots > 0)
                remove_slot(p, p->n_slots - 1);
        free(p->slots);
        sd_event_unref(p->context.event);
        free(p->root);
        free(p);
        return NULL;
}

void publisher_set_clusters(Publisher *p, Clusters *clusters) {
        p->clusters = clusters;
}

static TargetSlot *find_slot(const Publisher *p, const char *target) {
        for (size_t i = 0; i < p->n_slots; i++)
                if (streq(target_slot_config(p->slots[i])->name, target))
                        return p->slots[i];
        return NULL;
}

static bool is_among(const TargetConfig *config, TargetConfig *const *targets, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (target_config_equal(config, targets[i]))
                        return true;
        return false;
}

static bool has_path(const Publisher *p, const char *path) {
        for (size_t i = 0; i < p->n_slots; i++)
                if (strv_contains(target_slot_config(p->slots[i])->paths, path))
                        return true;
        return false;
}

/* A writer may have been killed beside a file that nobody has to look at any more. */
static int sweep(const Publisher *p, const TargetConfig *config) {
        _cleanup_(target_freep) Target *t = NULL;
        int r;

        r = target_new(p->root, config, config->paths[0], p->context.store, &t);
        if (r >= 0)
                target_sweep(t);
        return r;
}

/* What has, or had, entries of ours and is no target any more. */
static int add_orphans(Publisher *p) {
        const StateData *state = state_store_data(p->context.store);

        for (size_t i = 0; i < state->n_targets; i++) {
                const StateTarget *t = state->targets + i;
                TargetConfig *config;
                int r;

                if (!strchr("/~", t->name[0]) || has_path(p, t->name))
                        continue;
                r = target_config_new_orphan(t->name, &config);
                if (r < 0)
                        return r;
                if (t->keys || t->whole)
                        r = add_slot(p, config);
                else {
                        r = sweep(p, config);
                        target_config_free(config);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

int publisher_set_targets(Publisher *p, TargetConfig *const *targets, size_t n) {
        int r;

        /* Before others are made: a file may go over from one to another. */
        for (size_t i = p->n_slots; i > 0; i--)
                if (!is_among(target_slot_config(p->slots[i - 1]), targets, n))
                        remove_slot(p, i - 1);
        for (size_t i = 0; i < n; i++) {
                if (targets[i]->cluster || find_slot(p, targets[i]->name))
                        continue;
                r = add_slot(p, target_config_share(targets[i]));
                if (r < 0)
                        return r;
        }
        r = clusters_set_targets(p->clusters, targets, n);
        return r < 0 ? r : add_orphans(p);
}

void publisher_mark(Publisher *p, const char *target) {
        TargetSlot *s = find_slot(p, target);

        if (s)
                target_slot_mark(s);
        else
                clusters_mark(p->clusters, target);
}

void publisher_mark_all(Publisher *p) {
        for (size_t i = 0; i < p->n_slots; i++)
                target_slot_mark(p->slots[i]);
        clusters_mark_all(p->clusters);
}

void publisher_hurry(Publisher *p) {
        for (size_t i = 0; i < p->n_slots; i++)
                target_slot_hurry(p->slots[i]);
}

void publisher_reset_failed(Publisher *p, const char *target) {
        TargetSlot *s = find_slot(p, target);

        if (!s) {
                clusters_reset_failed(p->clusters, target);
                return;
        }
        target_slot_reset_failed(s);
}

void publisher_write_marked(Publisher *p) {
        /* From behind: a slot may go when it is done. */
        for (size_t i = p->n_slots; i > 0; i--)
                target_slot_write_marked(p->slots[i - 1]);
}

const char *publisher_target_path(const Publisher *p, const char *target) {
        const TargetSlot *s = find_slot(p, target);

        return s ? target_slot_path(s) : clusters_place(p->clusters, target);
}

const char *publisher_target_note(const Publisher *p, const char *target) {
        const TargetSlot *s = find_slot(p, target);

        return s ? target_slot_note(s) : NULL;
}

int publisher_preview(const Publisher *p, const TargetConfig *target, Wanted *wanted, size_t n, Secret **ret,
                      Failure **reterr_failure) {
        _cleanup_(target_freep) Target *t = NULL;
        int r;

        if (target->cluster)
                return cluster_plan_preview(p->context.store, target, wanted, n, ret);
        r = target_new(p->root, target, target->paths[0], p->context.store, &t);
        return r < 0 ? r : target_preview(t, wanted, n, ret, reterr_failure);
}
