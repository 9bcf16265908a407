/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ExchangeToken: a pod's own token for the credential of the pod's own robot account, for kubelet's plugin.
 *
 * The caller names an image and a robot account. How its registry is reached, a job of the administrator
 * says, and only for robot accounts that this job lets pods be (PodRobots=).
 * Owns the call that waits; the exchange itself is shared (daemon/pod-exchange). */

#include <errno.h>
#include <string.h>

#include "base/memory-file.h"
#include "base/text.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"
#include "daemon/fragment.h"
#include "daemon/job-request.h"
#include "model/door.h"
#include "model/image-reference.h"
#include "model/name.h"

/* The worker ends a request itself; this is for one that does not. */
#define PATIENCE (REQUEST_TIMEOUT + 10 * USEC_PER_SEC)

typedef struct PodCall {
        const BusContext *context;
        char *registry, *robot, *scope, *job;
        Secret *token;
        PodExchange *exchange;
} PodCall;

static void call_free(void *userdata) {
        PodCall *c = userdata;

        pod_exchange_unref(c->exchange);
        secret_free(c->token);
        free(c->registry);
        free(c->robot);
        free(c->scope);
        free(c->job);
        free(c);
}

static bool lets_pods_be(const Job *j, const char *registry, const char *robot) {
        if (!j->config->enabled || !streq_ptr(j->config->registry, registry))
                return false;
        STRV_FOREACH(p, j->config->pod_robots)
                if (robot_pattern_matches(*p, robot))
                        return true;
        return false;
}

/* The first by name. Returns 0, or sets the error. */
static int find_lender(const BusContext *b, const char *registry, const char *robot, const Job **ret,
                       sd_bus_error *reterror) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(b->manager, &n);
        for (size_t i = 0; i < n; i++)
                if (lets_pods_be(jobs[i], registry, robot)) {
                        *ret = jobs[i];
                        return 0;
                }
        return bus_error(reterror, API_ERROR_ROBOT_NOT_ALLOWED,
                         "No job at %s lets pods be the robot account '%s', add PodRobots=%s to one",
                         registry, robot, robot);
}

static int refuse_failure(const Failure *f, sd_bus_error *reterror) {
        if (!f)
                return -ENOMEM;
        return bus_error(reterror, API_ERROR_EXCHANGE_FAILED, "%s. %s", f->message, failure_hint(f));
}

static int reply(WaitingCall *w, const PodCall *c, const Secret *user_pass, usec_t expires_boot) {
        char *const scopes[] = { c->scope, NULL };
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct iovec bytes;
        int r;

        r = fragment_text(scopes, user_pass, &text);
        if (r < 0)
                return r;
        bytes = secret_peek(text);
        r = memory_file_new("pullauth-auth", bytes.iov_base, bytes.iov_len, &fd);
        if (r >= 0)
                r = sd_bus_reply_method_return(waiting_call_message(w), "ssht", c->job, c->scope, fd,
                                               manager_real_time(c->context->manager, expires_boot));
        return r < 0 ? r : 1;
}

static int look(WaitingCall *w, void *userdata, sd_bus_error *reterror) {
        const Failure *failure = NULL;
        const PodCall *c = userdata;
        const Secret *user_pass;
        usec_t expires;
        int r;

        r = pod_exchange_result(c->exchange, &user_pass, &expires, &failure);
        if (r == 0)
                return 0;
        return r < 0 ? refuse_failure(failure, reterror) : reply(w, c, user_pass, expires);
}

static int begin(WaitingCall *w, void *userdata, sd_bus_error *reterror) {
        PodCall *c = userdata;
        const Job *j;
        int r;

        r = find_lender(c->context, c->registry, c->robot, &j, reterror);
        if (r >= 0)
                r = free_and_strdup(&c->job, j->name);
        if (r >= 0)
                r = pod_exchange_get(c->context->pods, j, c->robot, c->scope, c->token, &c->exchange);
        if (r == -EBUSY)
                return sd_bus_error_set(
                        reterror, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "Too many tokens of pods are being exchanged, try again in a moment");
        c->token = secret_free(c->token);
        return r < 0 ? r : look(w, c, reterror);
}

static int late(WaitingCall *w, void *userdata, sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, SD_BUS_ERROR_TIMEOUT,
                                "The worker gave no answer, see 'systemctl status pullauth-worker.service'");
}

static const WaitingKind kind = { .begin = begin, .look = look, .late = late, .free = call_free };

/* Whether the image is one of this robot account's: all of them are in its namespace. Returns 0, or sets the
 * error. */
static int read_names(sd_bus_message *m, PodCall *c, sd_bus_error *reterror) {
        _cleanup_free_ char *repository = NULL, *namespace = NULL;
        const char *robot;
        int r;

        r = bus_read_image(m, &repository, reterror);
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &robot);
        if (r < 0)
                return r;
        if (!robot_is_valid(robot))
                return bus_error(reterror, API_ERROR_INVALID_NAME,
                                 "That is no robot account, write for example acme+pull");
        c->registry = strndup(repository, strcspn(repository, "/"));
        c->robot = strdup(robot);
        r = c->registry && c->robot ? robot_namespace(robot, &namespace) : -ENOMEM;
        if (r >= 0)
                r = text_format(&c->scope, "%s/%s", c->registry, namespace);
        if (r < 0 || scope_covers(c->scope, repository))
                return r < 0 ? r : 0;
        return bus_error(reterror, API_ERROR_NO_SUCH_JOB, "'%s' is no image of the robot account '%s'",
                         repository, robot);
}

static int read_token(sd_bus_message *m, PodCall *c, sd_bus_error *reterror) {
        int fd, r;

        r = sd_bus_message_read(m, "h", &fd);
        if (r < 0)
                return r;
        r = memory_file_read(fd, DOOR_TOKEN_MAX, &c->token);
        if (r != -EBADMSG)
                return r;
        return bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                         "The token has to be in a sealed file in memory (memfd_create(2)), 64 KiB at most");
}

int bus_manager_exchange_token(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        const Job *j = NULL;
        PodCall *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->context = b;
        r = read_names(message, c, reterror);
        if (r >= 0)
                r = find_lender(b, c->registry, c->robot, &j, reterror);
        if (r >= 0 && j)
                r = bus_authorize_job(b, message, j->name, reterror);
        if (r > 0) {
                r = read_token(message, c, reterror);
                r = r < 0 ? r : 1;
        }
        if (r > 0)
                return waiting_add(b->waiting, message, PATIENCE, &kind, c, reterror);
        call_free(c);
        return r < 0 ? r : 1;
}
