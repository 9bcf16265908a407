/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs asked to do their work sooner than they would.
 *
 * Owns the answers that name the attempts. Changes no configuration, and refuses to try what its files make
 * impossible. */

#include "daemon/bus-job.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"

int bus_manager_refresh_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        uint64_t attempt;
        const char *name;
        const BusContext *b = userdata;
        Job *j;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r < 0)
                return r;
        r = bus_authorize_job(b, message, name, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_find_job(b, name, &j, reterror);
        if (r >= 0)
                r = bus_job_refresh(j, &attempt, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "t", attempt);
}

/* Jobs whose configuration cannot work are left out of the answer. */
static int refresh_all(const Manager *m, sd_bus_message *reply) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n; i++) {
                uint64_t attempt;
                int r;

                r = job_refresh(jobs[i], &attempt);
                if (r > 0)
                        r = sd_bus_message_append(reply, "(st)", jobs[i]->name, attempt);
                if (r < 0)
                        return r;
        }
        return 0;
}

int bus_manager_refresh_all(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusContext *b = userdata;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(st)");
        if (r >= 0)
                r = refresh_all(b->manager, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}
