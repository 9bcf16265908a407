/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals of a job by table: which there are and what each carries.
 *
 * Owns no match on the bus: who listens hands messages in. Knows nothing of properties, which tell how a job
 * stands; a signal tells what happened, also when it is over the moment after. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/event.h"

#define ARGUMENT(json_name, kind_of, member) \
        { .json = json_name, .kind = kind_of, .offset = offsetof(JobEvent, member) }

static const Property refreshed[] = { ARGUMENT("expires", PROPERTY_TIME, expires) };
static const Property failed[] = {
        ARGUMENT("reason", PROPERTY_STRING, reason),
        ARGUMENT("step", PROPERTY_STRING, step),
        ARGUMENT("message", PROPERTY_STRING, message),
};
static const Property withdrawn[] = { ARGUMENT("targets", PROPERTY_STRINGS, targets) };

static const struct {
        const char *member, *name;
        const Property *arguments;
        size_t n_arguments;
} events[] = {
        { "Refreshed", "refreshed", refreshed, ELEMENTSOF(refreshed) },
        { "Failed", "failed", failed, ELEMENTSOF(failed) },
        { "Expired", "expired", NULL, 0 },
        { "Withdrawn", "withdrawn", withdrawn, ELEMENTSOF(withdrawn) },
};

const Property *job_event_properties(const char *name, size_t *ret_n) {
        *ret_n = 0;
        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                if (streq_ptr(events[i].name, name)) {
                        *ret_n = events[i].n_arguments;
                        return events[i].arguments;
                }
        return NULL;
}

void job_event_done(JobEvent *e) {
        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                table_done(e, events[i].arguments, events[i].n_arguments);
        free(e->path);
        *e = (JobEvent){};
}

int job_event_read(JobEvent *e, sd_bus_message *m) {
        const char *member = sd_bus_message_get_member(m);
        int r;

        *e = (JobEvent){};
        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                if (!streq_ptr(events[i].member, member))
                        continue;
                e->name = events[i].name;
                r = free_and_strdup(&e->path, sd_bus_message_get_path(m));
                for (size_t k = 0; k < ELEMENTSOF(events) && r >= 0; k++)
                        r = table_init(e, events[k].arguments, events[k].n_arguments);
                for (size_t k = 0; k < events[i].n_arguments && r >= 0; k++)
                        r = value_read(e, events[i].arguments + k, m);
                return r < 0 ? r : 0;
        }
        return -ENOENT;
}
