/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the bits that a job leaves behind to the signals Refreshed, Failed, Expired and Withdrawn.
 *
 * Owns what each of them says. Says nothing that the properties do not say: a signal carries what may have
 * changed again before somebody asks. */

#include "base/text.h"
#include "daemon/bus-job-event.h"
#include "daemon/bus-job.h"
#include "daemon/bus-value.h"

typedef int (*Append)(const BusContext *b, sd_bus_message *m, Job *j);

static int append_expires(const BusContext *b, sd_bus_message *m, Job *j) {
        return sd_bus_message_append(m, "t", bus_job_expires(b, j));
}

static int append_failure(const BusContext *b, sd_bus_message *m, Job *j) {
        /* Of the attempt, not of files that are broken since. */
        const Failure *f = j->failure ?: job_failure(j);

        return f ? sd_bus_message_append(m, "sss", reason_to_string(f->reason),
                                         failure_step_to_string(f->step), f->message)
                 : sd_bus_message_append(m, "sss", reason_to_string(REASON_INTERNAL), "", "");
}

static int append_withdrawn(const BusContext *b, sd_bus_message *m, Job *j) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; i < j->n_targets && r >= 0; i++)
                if (j->targets[i].withdrawn)
                        r = sd_bus_message_append(m, "s", j->targets[i].name);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* In the order in which they make sense to whoever reads them. */
static const struct {
        JobChange what;
        const char *member;
        Append append; /* NULL: says nothing but itself */
} events[] = {
        { JOB_HAPPENED_REFRESHED, "Refreshed", append_expires },
        { JOB_HAPPENED_FAILED, "Failed", append_failure },
        { JOB_HAPPENED_EXPIRED, "Expired", NULL },
        { JOB_HAPPENED_WITHDRAWN, "Withdrawn", append_withdrawn },
};

static int emit(const BusContext *b, sd_bus *bus, Job *j, size_t i) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_job_path(j, &path);
        if (r >= 0)
                r = sd_bus_message_new_signal(bus, &m, path, BUS_JOB_INTERFACE, events[i].member);
        if (r >= 0 && events[i].append)
                r = events[i].append(b, m, j);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

void bus_job_emit_events(const BusContext *b, sd_bus *bus, Job *j, JobChange what) {
        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                if (what & events[i].what)
                        (void) emit(b, bus, j, i);
}
