/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The difference between a federation and one that has our entry.
 *
 * Never drops an entry unless it is told to, and knows what a registry forgets when it is given the whole
 * list: the audiences, which Quay's API does not take. Asks nobody and shows nothing. */

#include <assert.h>

#include "base/text.h"
#include "model/federation-plan.h"

static const char *const names[] = {
        [FEDERATION_KEPT] = "kept",
        [FEDERATION_ADDED] = "added",
        [FEDERATION_CHANGED] = "changed",
        [FEDERATION_REMOVED] = "removed",
};
static_assert(ELEMENTSOF(names) == _FEDERATION_CHANGE_MAX, "each change has a name");

const char *federation_change_to_string(FederationChange c) {
        return c >= 0 && c < _FEDERATION_CHANGE_MAX ? names[c] : NULL;
}

void federation_plan_done(FederationPlan *p) {
        federation_done(&p->entries);
        free(p->changes);
        *p = (FederationPlan){};
}

static bool is_own(const FederationEntry *e, const FederationEntry *own) {
        return streq(e->issuer, own->issuer) && streq(e->subject, own->subject);
}

/* One audience in common is enough for the registry. */
static bool takes(const FederationEntry *e, const FederationEntry *own) {
        bool any = !e->audiences;

        STRV_FOREACH(a, own->audiences)
                any = any || strv_contains(e->audiences, *a);
        return any;
}

static FederationChange choose(const FederationEntry *e, const FederationEntry *own,
                               FederationPlanFlags flags) {
        if (!is_own(e, own))
                return flags & FEDERATION_REPLACE ? FEDERATION_REMOVED : FEDERATION_KEPT;
        return takes(e, own) ? FEDERATION_KEPT : FEDERATION_CHANGED;
}

/* A token without audience is taken by an entry without audiences alone. */
static int add_changed(Federation *f, const FederationEntry *e, const FederationEntry *own) {
        _cleanup_strv_ char **audiences = NULL;
        int r = 0;

        if (strv_length(own->audiences) > 0)
                r = strv_copy(e->audiences, &audiences);
        for (char *const *a = own->audiences; a && *a && r >= 0; a++)
                r = strv_append(&audiences, *a);
        return r < 0 ? r : federation_add(f, e->issuer, e->subject, audiences);
}

int federation_plan_make(const Federation *present, const FederationEntry *own, FederationPlanFlags flags,
                         FederationPlan *ret) {
        _cleanup_(federation_plan_done) FederationPlan p = {};
        bool audiences = false;
        int r = 0;

        p.changes = calloc(present->n_items + 1, sizeof(*p.changes));
        if (!p.changes)
                return -ENOMEM;
        for (size_t i = 0; i < present->n_items && r >= 0; i++) {
                const FederationEntry *e = present->items + i;
                FederationChange c = choose(e, own, flags);

                p.changes[i] = c;
                p.differs = p.differs || c != FEDERATION_KEPT;
                audiences = audiences || (c != FEDERATION_REMOVED && e->audiences);
                if (c == FEDERATION_CHANGED)
                        r = add_changed(&p.entries, e, own);
                else
                        r = federation_add(&p.entries, e->issuer, e->subject, e->audiences);
        }
        if (r >= 0 && !federation_find(present, own->issuer, own->subject)) {
                p.changes[present->n_items] = FEDERATION_ADDED;
                p.differs = true;
                r = federation_add(&p.entries, own->issuer, own->subject, own->audiences);
        }
        if (r < 0)
                return r;
        p.forgets = p.differs && audiences;
        *ret = p;
        p = (FederationPlan){};
        return 0;
}

int federation_plan_result(const FederationPlan *p, Federation *ret) {
        _cleanup_(federation_done) Federation f = {};
        int r = 0;

        for (size_t i = 0; i < p->entries.n_items && r >= 0; i++) {
                const FederationEntry *e = p->entries.items + i;

                if (p->changes[i] != FEDERATION_REMOVED)
                        r = federation_add(&f, e->issuer, e->subject, e->audiences);
        }
        if (r < 0)
                return r;
        *ret = f;
        f = (Federation){};
        return 0;
}
