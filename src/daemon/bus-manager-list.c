/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking jobs up.
 *
 * Everyone may, so no question is asked. Owns the form in which a job is shown in a list; refuses to change
 * anything. */

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"
#include "daemon/registry-choice.h"

static int append_job(sd_bus_message *reply, const Manager *m, const Job *j) {
        const Failure *f = job_failure(j);
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_job_path(j, &path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "(sosssstt)", j->name, path, strempty(j->config->registry),
                                     strempty(j->config->robot), job_state_to_string(j->state),
                                     f ? reason_to_string(f->reason) : "",
                                     j->credential ? manager_real_time(m, j->expires_boot) : UINT64_C(0),
                                     manager_real_time(m, j->next_attempt_boot));
}

/* All jobs, or those of one registry. */
static int reply_jobs(sd_bus_message *message, const Manager *m, const char *registry) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Job *const *jobs;
        size_t n;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sosssstt)");
        jobs = manager_jobs(m, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (!registry || streq_ptr(jobs[i]->config->registry, registry))
                        r = append_job(reply, m, jobs[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int bus_manager_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        return reply_jobs(message, ((const BusContext *) userdata)->manager, NULL);
}

int bus_manager_list_jobs_by_registry(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const char *registry;
        int r;

        r = bus_read_registry(message, &registry, reterror);
        return r < 0 ? r : reply_jobs(message, ((const BusContext *) userdata)->manager, registry);
}

int bus_manager_get_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_free_ char *path = NULL;
        const char *name;
        Job *j;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r >= 0)
                r = bus_find_job(userdata, name, &j, reterror);
        if (r >= 0)
                r = bus_job_path(j, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

int bus_manager_find_job_for_image(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_free_ char *repository = NULL, *path = NULL;
        const char *scope;
        Job *j;
        int r;

        r = bus_read_image(message, &repository, reterror);
        if (r >= 0)
                r = bus_find_job_for(userdata, repository, &j, &scope, reterror);
        if (r >= 0)
                r = bus_job_path(j, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "sos", j->name, path, scope);
}

static int compare_registries(const void *a, const void *b) {
        const Job *x = *(const Job *const *) a, *y = *(const Job *const *) b;
        int r = strcmp(strempty(x->config->registry), strempty(y->config->registry));

        return r != 0 ? r : strcmp(x->name, y->name);
}

static int append_registry(sd_bus_message *reply, const RegistryChoice *c) {
        const Job *j = registry_choice_job(c);

        if (!j || !job_has_valid_credential(j))
                return 0;
        return sd_bus_message_append(reply, "(sss)", j->config->registry, j->name, j->config->robot);
}

static int append_registries(sd_bus_message *reply, Job *const *sorted, size_t n) {
        RegistryChoice choice = {};
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                registry_choice_consider(&choice, sorted[i]);
                if (i + 1 < n && streq_ptr(sorted[i]->config->registry, sorted[i + 1]->config->registry))
                        continue;
                r = append_registry(reply, &choice);
                choice = (RegistryChoice){};
        }
        return r;
}

int bus_manager_list_registries(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ Job **sorted = NULL;
        Job *const *jobs;
        size_t n;
        int r;

        jobs = manager_jobs(((const BusContext *) userdata)->manager, &n);
        sorted = calloc(n + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sorted[i] = jobs[i];
        qsort(sorted, n, sizeof(*sorted), compare_registries);
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        if (r >= 0)
                r = append_registries(reply, sorted, n);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}
