/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that methods share, in the order in which each takes them: arguments, right, look up, act.
 *
 * Owns the wording of the refusals that have nothing to do with one method. Holds nothing between the
 * steps: after a wait for polkit the whole handler runs anew. */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "daemon/bus-request.h"
#include "model/image-reference.h"
#include "model/name.h"

#define ERROR_TEXT_MAX 2048

int bus_error(sd_bus_error *reterror, ApiError e, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int r;

        /* Names of files are bytes; the bus wants text. */
        va_start(ap, format);
        r = text_format_clean(&text, ERROR_TEXT_MAX, format, ap);
        va_end(ap);
        return r < 0 ? r : sd_bus_error_set(reterror, api_error_to_string(e), text);
}

int bus_read_job_name(sd_bus_message *message, const char **ret, sd_bus_error *reterror) {
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        if (!object_name_is_valid(name))
                return bus_error(
                        reterror, API_ERROR_INVALID_NAME,
                        "That is no name that a job can have: up to 64 letters, digits, '_', '-' and "
                        "'.', of which the last two do not come first");
        *ret = name;
        return 0;
}

int bus_read_registry(sd_bus_message *message, const char **ret, sd_bus_error *reterror) {
        const char *registry;
        int r;

        r = sd_bus_message_read(message, "s", &registry);
        if (r < 0)
                return r;
        if (!registry_is_valid(registry))
                return bus_error(reterror, API_ERROR_INVALID_NAME,
                                 "That is no registry, write its host alone, for example quay.example.com");
        *ret = registry;
        return 0;
}

int bus_read_image(sd_bus_message *message, char **ret_repository, sd_bus_error *reterror) {
        const char *image;
        int r;

        r = sd_bus_message_read(message, "s", &image);
        if (r < 0)
                return r;
        r = image_repository(image, ret_repository);
        if (r == -EINVAL)
                return bus_error(reterror, API_ERROR_INVALID_NAME,
                                 "That is no reference of an image, write for example "
                                 "quay.example.com/acme/app:latest");
        return r;
}

int bus_find_job(const BusContext *b, const char *name, Job **ret, sd_bus_error *reterror) {
        Job *j = manager_find_job(b->manager, name);

        if (!j)
                return bus_error(reterror, API_ERROR_NO_SUCH_JOB, "There is no job '%s'", name);
        *ret = j;
        return 0;
}

int bus_refuse_disabled(const Job *j, sd_bus_error *reterror) {
        return bus_error(reterror, API_ERROR_JOB_DISABLED,
                         "Job '%s' is disabled, 'pullauthctl enable %s' enables it", j->name, j->name);
}

int bus_find_job_for(const BusContext *b, const char *repository, Job **ret, const char **ret_scope,
                     sd_bus_error *reterror) {
        Job *j = manager_find_job_for(b->manager, repository, ret_scope);

        if (!j)
                return bus_error(reterror, API_ERROR_NO_SUCH_JOB,
                                 "No job has a scope that covers '%s': add one, or widen Scopes= of one",
                                 repository);
        *ret = j;
        return 0;
}

int bus_authorize_registry(const BusContext *b, sd_bus_message *message, const char *name,
                           const char *registry, sd_bus_error *reterror) {
        char *const details[] = { (char *) "job", (char *) name, (char *) "registry", (char *) registry,
                                  NULL };

        return authorize(b->authorizer, message, details, reterror);
}

int bus_authorize_job(const BusContext *b, sd_bus_message *message, const char *name,
                      sd_bus_error *reterror) {
        const Job *j = manager_find_job(b->manager, name);

        return bus_authorize_registry(b, message, name, j ? strempty(j->config->registry) : "", reterror);
}

int bus_admit_job(const BusContext *b, sd_bus_message *message, const char *name, Job **ret,
                  sd_bus_error *reterror) {
        int r;

        r = bus_authorize_job(b, message, name, reterror);
        if (r <= 0)
                return r;
        r = bus_find_job(b, name, ret, reterror);
        return r < 0 ? r : 1;
}

int bus_take_job(const BusContext *b, sd_bus_message *message, Job **ret, sd_bus_error *reterror) {
        const char *name = NULL;
        int r;

        r = bus_read_job_name(message, &name, reterror);
        return r < 0 ? r : bus_admit_job(b, message, name, ret, reterror);
}
