/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Credentials for those who may have them, and targets without them.
 *
 * A credential leaves as a sealed file in memory, never as bytes of a message: who listens on the bus sees a
 * descriptor go by. Owns the sentences about credentials that are not there. Changes nothing. */

#include <errno.h>
#include <string.h>

#include "base/memory-file.h"
#include "base/text.h"
#include "daemon/bus-job.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"
#include "daemon/fragment.h"
#include "daemon/manager-preview.h"
#include "daemon/registry-choice.h"
#include "model/name.h"

static int refuse_missing(const Job *j, sd_bus_error *reterror) {
        const Failure *f = job_failure(j);

        if (!j->config->enabled)
                return bus_refuse_disabled(j, reterror);
        if (!f)
                return bus_error(reterror, API_ERROR_NO_CREDENTIAL,
                                 "Job '%s' has no credential at present, wait for its first refresh "
                                 "('pullauthctl wait %s')",
                                 j->name, j->name);
        return bus_error(reterror, API_ERROR_NO_CREDENTIAL, "Job '%s' has no credential at present: %s. %s",
                         j->name, f->message, failure_hint(f));
}

/* Returns 0 with the descriptor, or sets the error. */
static int make_file(const Job *j, int *ret_fd, sd_bus_error *reterror) {
        _cleanup_secret_ Secret *text = NULL;
        struct iovec bytes;
        int r;

        if (!job_has_valid_credential(j))
                return refuse_missing(j, reterror);
        r = fragment_text(j->config->scopes, j->user_pass, &text);
        if (r < 0)
                return r;
        bytes = secret_peek(text);
        return memory_file_new("pullauth-auth", bytes.iov_base, bytes.iov_len, ret_fd);
}

int bus_manager_get_credential(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        _cleanup_close_ int fd = -EBADF;
        Job *j;
        int r;

        r = bus_take_job(b, message, &j, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = make_file(j, &fd, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "ht", fd, bus_job_expires(b, j));
}

/* Answers with the credential of a job that was looked up already, if the caller may have it. */
static int reply_found(const BusContext *b, sd_bus_message *message, const Job *j, const char *scope,
                       sd_bus_error *reterror) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = bus_authorize_job(b, message, j->name, reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = make_file(j, &fd, reterror);
        return r < 0 ? r
                     : sd_bus_reply_method_return(message, "ssht", j->name, scope, fd,
                                                  bus_job_expires(b, j));
}

/* Which job it is, everyone may know; so that is looked up first, for polkit to be told. If it is another
 * one after the wait, polkit is asked again. */
int bus_manager_get_credential_for_image(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        _cleanup_free_ char *repository = NULL;
        const char *scope;
        Job *j;
        int r;

        r = bus_read_image(message, &repository, reterror);
        if (r >= 0)
                r = bus_find_job_for(b, repository, &j, &scope, reterror);
        return r < 0 ? r : reply_found(b, message, j, scope, reterror);
}

static int refuse_choice(const RegistryChoice *c, const char *registry, sd_bus_error *reterror) {
        if (!c->first)
                return bus_error(reterror, API_ERROR_NO_SUCH_JOB, "No job is at the registry '%s'",
                                 registry);
        return bus_error(reterror, API_ERROR_SEVERAL_JOBS,
                         "Jobs '%s' and '%s' are both at %s, and none is for all of it: give one of them "
                         "Scopes=*, or let the tool read an auth.json, which has a credential for each path",
                         c->first->name, c->second->name, registry);
}

int bus_manager_get_credential_for_registry(sd_bus_message *message, void *userdata,
                                            sd_bus_error *reterror) {
        const BusContext *b = userdata;
        RegistryChoice choice = {};
        const char *registry;
        Job *const *jobs;
        Job *j;
        size_t n;
        int r;

        r = bus_read_registry(message, &registry, reterror);
        if (r < 0)
                return r;
        jobs = manager_jobs(b->manager, &n);
        for (size_t i = 0; i < n; i++)
                if (streq_ptr(jobs[i]->config->registry, registry))
                        registry_choice_consider(&choice, jobs[i]);
        j = registry_choice_job(&choice);
        if (!j)
                return refuse_choice(&choice, registry, reterror);
        return reply_found(b, message, j, strempty(registry_choice_scope(j)), reterror);
}

static const ConfMessage *find_error(const Conf *c) {
        for (size_t i = 0; c && i < c->n_messages; i++)
                if (c->messages[i].severity == CONF_ERROR)
                        return c->messages + i;
        return NULL;
}

static int refuse_target(const Manager *m, const char *name, sd_bus_error *reterror) {
        const TargetSet *targets = manager_configuration(m)->targets;
        const TargetDefinition *d = target_set_find(targets, name);
        const ConfMessage *error = d ? find_error(d->conf) : NULL;
        _cleanup_free_ char *names = NULL, *text = NULL;
        int r;

        if (error) {
                r = conf_message_format(error, &text);
                return r < 0 ? r : bus_error(reterror, API_ERROR_TARGET_FAILED, "%s", text);
        }
        r = target_set_names(targets, &names);
        if (r < 0)
                return r;
        return bus_error(reterror, API_ERROR_NO_SUCH_TARGET, "There is no target '%s', there are: %s", name,
                         names);
}

/* Returns 0 with the text as it may be shown, or sets the error. */
static int render(const Manager *m, const char *name, char **ret, sd_bus_error *reterror) {
        _cleanup_failure_ Failure *failure = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = manager_preview_target(m, name, &text, &failure);
        if (r == -ENOENT)
                return refuse_target(m, name, reterror);
        if (r > 0)
                return bus_error(reterror, API_ERROR_TARGET_FAILED, "%s. %s", failure->message,
                                 failure_hint(failure));
        /* Others write into the file as well, and sd-bus takes no message with what is no text. */
        return r < 0 ? r : text_clean_lines(text, strlen(text), ret);
}

int bus_manager_render_target(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        _cleanup_free_ char *text = NULL;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        if (!target_name_is_valid(name))
                return bus_error(reterror, API_ERROR_INVALID_NAME, "That is no name that a target can have");
        r = authorize(b->authorizer, message, (char *const[]){ (char *) "target", (char *) name, NULL },
                      reterror);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = render(b->manager, name, &text, reterror);
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", text);
}
