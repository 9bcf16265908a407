/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Docker's credential helpers are asked for a host, and for nothing below it. Where two robot accounts have
 * a credential for one host, any choice would be wrong for half of the pulls, so somebody has to make it: a
 * job with Scopes=*.
 *
 * Owns this rule. Leaves disabled jobs out, like everybody who looks for a credential. */

#include "base/text.h"
#include "daemon/registry-choice.h"

void registry_choice_consider(RegistryChoice *c, Job *j) {
        if (!j->config->enabled || !j->config->registry)
                return;
        if (strv_contains(j->config->scopes, j->config->registry) &&
            (!c->whole || (c->whole->configuration_failure && !j->configuration_failure)))
                c->whole = j;
        if (!c->first)
                c->first = j;
        else if (!c->second)
                c->second = j;
}

Job *registry_choice_job(const RegistryChoice *c) {
        if (c->whole)
                return c->whole;
        return c->second ? NULL : c->first;
}

const char *registry_choice_scope(const Job *j) {
        if (strv_contains(j->config->scopes, j->config->registry))
                return j->config->registry;
        return j->config->scopes ? j->config->scopes[0] : NULL;
}
