/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that callers make, change, switch on and off, and remove.
 *
 * Owns the order of things: arguments, right, a look at what there is now, then the change (bus-change).
 * Callers give names of identities and targets that files of the administrator define, and plain
 * settings; no path, URL, certificate, proxy or command is among them. */

#include "base/text.h"
#include "daemon/bus-change.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager-methods.h"

int bus_manager_create_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit settings = {};
        _cleanup_free_ char *path = NULL;
        const BusContext *b = userdata;
        BusChangeFlags flags;
        const char *name;
        Job *j;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r >= 0)
                r = bus_read_settings(message, &settings, reterror);
        if (r >= 0)
                r = bus_read_change_flags(message, &flags, reterror);
        if (r < 0)
                return r;
        r = bus_authorize_registry(b, message, name, job_edit_get(&settings, JOB_KEY_REGISTRY), reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_change_create(b, name, &settings, flags, reterror);
        if (r >= 0)
                r = bus_find_job(b, name, &j, reterror);
        if (r >= 0)
                r = bus_job_path(j, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

/* A move from one registry to another is a matter of both: a rule that is for one of them shall not
 * decide it. */
static int authorize_settings(const BusContext *b, sd_bus_message *message, const char *name,
                              const JobEdit *settings, sd_bus_error *reterror) {
        const Job *j = manager_find_job(b->manager, name);
        const char *to = job_edit_get(settings, JOB_KEY_REGISTRY);

        if (!settings->has[JOB_KEY_REGISTRY] || !j || streq_ptr(j->config->registry, to))
                return bus_authorize_job(b, message, name, reterror);
        return bus_authorize_registry(b, message, name, "", reterror);
}

int bus_manager_change_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        _cleanup_(job_edit_done) JobEdit settings = {};
        const BusContext *b = userdata;
        BusChangeFlags flags;
        const char *name;
        Job *j;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r >= 0)
                r = bus_read_settings(message, &settings, reterror);
        if (r >= 0)
                r = bus_read_change_flags(message, &flags, reterror);
        if (r < 0)
                return r;
        if (job_edit_is_empty(&settings))
                return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                 "Name at least one setting to change");
        r = authorize_settings(b, message, name, &settings, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_find_job(b, name, &j, reterror);
        if (r >= 0)
                r = bus_change_settings(b, name, &settings, flags, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int set_enabled(sd_bus_message *message, const BusContext *b, bool enabled, sd_bus_error *reterror) {
        BusChangeFlags flags;
        const char *name;
        Job *j;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r >= 0)
                r = bus_read_change_flags(message, &flags, reterror);
        if (r < 0)
                return r;
        r = bus_admit_job(b, message, name, &j, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_change_enabled(b, name, enabled, flags, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

int bus_manager_enable_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        return set_enabled(message, userdata, /* enabled= */ true, reterror);
}

int bus_manager_disable_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        return set_enabled(message, userdata, /* enabled= */ false, reterror);
}

int bus_manager_remove_job(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        const char *name;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        if (r < 0)
                return r;
        r = bus_authorize_job(b, message, name, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_change_remove(b, name, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}
