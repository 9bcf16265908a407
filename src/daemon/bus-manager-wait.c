/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WaitJobs: an answer when tools have what they need, or will not get it by waiting.
 *
 * Owns the names that a caller waits for. Everyone may, for it tells no more than looking does and costs no
 * attempt. Holds no job: each look begins with the names, so that jobs may come and go meanwhile. */

#include "base/text.h"
#include "daemon/bus-manager-methods.h"
#include "daemon/bus-request.h"

#define TIMEOUT_MAX (10 * USEC_PER_MINUTE)
#define NAMES_MAX 256

typedef struct JobsWait {
        const BusContext *context;
        char **names;  /* NULL: all that are enabled */
        char *blocker; /* one that the last look found not settled */
} JobsWait;

static void jobs_wait_free(void *userdata) {
        JobsWait *w = userdata;

        strv_free(w->names);
        free(w->blocker);
        free(w);
}

/* Most looks end here: most news are not of the job that is waited for last. */
static bool is_blocked(const JobsWait *w) {
        const Job *j = w->blocker ? manager_find_job(w->context->manager, w->blocker) : NULL;

        return j && !job_is_settled(j);
}

static int note_blocker(JobsWait *w, const Job *j) {
        return free_and_strdup(&w->blocker, j->name);
}

/* Returns 1 if all are settled, 0, or a negative errno. */
static int check_names(JobsWait *w, sd_bus_error *reterror) {
        STRV_FOREACH(name, w->names) {
                Job *j;
                int r;

                r = bus_find_job(w->context, *name, &j, reterror);
                if (r >= 0 && !job_is_settled(j))
                        r = note_blocker(w, j);
                else if (r >= 0)
                        continue;
                return r < 0 ? r : 0;
        }
        return 1;
}

static int check_all(JobsWait *w) {
        Job *const *jobs;
        size_t n;

        jobs = manager_jobs(w->context->manager, &n);
        for (size_t i = 0; i < n; i++)
                if (!job_is_settled(jobs[i])) {
                        int r = note_blocker(w, jobs[i]);

                        return r < 0 ? r : 0;
                }
        return 1;
}

static int append(sd_bus_message *reply, const Job *j) {
        const Failure *f = job_failure(j);

        return sd_bus_message_append(reply, "(sss)", j->name, job_state_to_string(j->state),
                                     f ? reason_to_string(f->reason) : "");
}

static int append_jobs(const JobsWait *w, sd_bus_message *reply, sd_bus_error *reterror) {
        Job *const *jobs;
        size_t n;
        int r = 0;

        STRV_FOREACH(name, w->names) {
                Job *j;

                r = bus_find_job(w->context, *name, &j, reterror);
                if (r >= 0)
                        r = append(reply, j);
                if (r < 0)
                        return r;
        }
        if (w->names)
                return 0;
        jobs = manager_jobs(w->context->manager, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (jobs[i]->config->enabled)
                        r = append(reply, jobs[i]);
        return r < 0 ? r : 0;
}

static int answer(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(waiting_call_message(c), &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        if (r >= 0)
                r = append_jobs(userdata, reply, reterror);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        return r < 0 ? r : 1;
}

static int look(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        JobsWait *w = userdata;
        int r;

        if (is_blocked(w))
                return 0;
        r = w->names ? check_names(w, reterror) : check_all(w);
        return r > 0 ? answer(c, w, reterror) : r;
}

static const WaitingKind kind = { .begin = look, .look = look, .late = answer, .free = jobs_wait_free };

static int read_names(sd_bus_message *message, char ***ret, sd_bus_error *reterror) {
        _cleanup_strv_ char **names = NULL;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_at_end(message, /* complete= */ 0)) == 0) {
                r = bus_read_job_name(message, &name, reterror);
                if (r >= 0 && strv_length(names) == NAMES_MAX)
                        r = bus_error(reterror, API_ERROR_INVALID_ARGUMENT,
                                      "More than %d names at a time, name none to wait for all jobs",
                                      NAMES_MAX);
                if (r >= 0)
                        r = strv_append(&names, name);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

int bus_manager_wait_jobs(sd_bus_message *message, void *userdata, sd_bus_error *reterror) {
        const BusContext *b = userdata;
        _cleanup_strv_ char **names = NULL;
        uint64_t timeout;
        JobsWait *w;
        int r;

        r = read_names(message, &names, reterror);
        if (r >= 0)
                r = sd_bus_message_read(message, "t", &timeout);
        if (r < 0)
                return r;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (JobsWait){ .context = b, .names = TAKE_PTR(names) };
        return waiting_add(b->waiting, message, timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX, &kind, w,
                           reterror);
}
