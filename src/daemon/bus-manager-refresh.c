/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs asked to do their work sooner than they would.
 *
 * Owns the answers that name the attempts. Changes no configuration, and refuses to try what its files make
 * impossible. */

#include "base/text.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"

int bus_manager_refresh_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        uint64_t attempt;
        Job *j;
        int r;

        r = bus_take_job(userdata, message, &j, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_job_refresh(j, &attempt, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "t", attempt);
}

/* All jobs, or those of one registry. Those that are disabled and those whose configuration cannot work
 * are left out. Returns how many jobs it saw, or a negative errno. */
static int append_attempts(sd_bus_message *reply, const Manager *m, const char *registry) {
        Job *const *jobs;
        size_t n;
        int seen = 0;

        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n; i++) {
                uint64_t attempt;
                int r;

                if (registry && !streq_ptr(jobs[i]->config->registry, registry))
                        continue;
                seen++;
                r = job_refresh(jobs[i], &attempt);
                if (r > 0)
                        r = sd_bus_message_append(reply, "(st)", jobs[i]->name, attempt);
                if (r < 0)
                        return r;
        }
        return seen;
}

static int refresh_many(const BusContext *b, sd_bus_message *message, const char *registry,
                        sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(st)");
        if (r >= 0)
                r = append_attempts(reply, b->manager, registry);
        if (r == 0 && registry)
                return bus_error(reterror, API_ERROR_NO_SUCH_JOB, "No job is at the registry '%s'",
                                 registry);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int bus_manager_refresh_all(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        return refresh_many(b, message, NULL, reterror);
}

int bus_manager_refresh_registry(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        const char *registry;
        int r;

        r = bus_read_registry(message, &registry, reterror);
        if (r < 0)
                return r;
        r = authorize(b->authorizer, message,
                      (char *const[]){ (char *) "registry", (char *) registry, NULL }, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        return refresh_many(b, message, registry, reterror);
}

int bus_manager_reset_failed_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        Job *j;
        int r;

        r = bus_take_job(b, message, &j, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        manager_reset_failed(b->manager, j);
        return sd_bus_reply_method_return(message, NULL);
}

int bus_manager_reset_failed(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        Job *const *jobs;
        size_t n;
        int r;

        r = authorize(b->authorizer, message, NULL, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        jobs = manager_jobs(b->manager, &n);
        for (size_t i = 0; i < n; i++)
                manager_reset_failed(b->manager, jobs[i]);
        return sd_bus_reply_method_return(message, NULL);
}
