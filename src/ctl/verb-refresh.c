/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl refresh": asks for attempts, and with --wait stays until they have ended.
 *
 * A request answers with the number of the attempt that fulfils it; that attempt is over when the job's
 * count of ended attempts has reached the number. The jobs are followed from before the requests on
 * (client/follow), so that no end is missed. Whatever happens meanwhile (job removed, daemon gone, time
 * over) ends the wait with a sentence. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "client/follow.h"
#include "ctl/life.h"
#include "ctl/select.h"
#include "ctl/verb.h"

/* One job whose attempt is being waited for. */
typedef struct Wait {
        const char *name;
        uint64_t attempt;
        bool over;
        JobSnapshot *result; /* as it was then */
} Wait;

typedef struct Refresh {
        Ctl *ctl;
        Follow *follow;
        Wait *waits; /* one for each attempt */
        size_t n_waits, n_open;
        Attempts attempts;
        bool abandoned; /* nothing will come any more */
} Refresh;

static void refresh_done(Refresh *f) {
        follow_free(f->follow);
        for (size_t i = 0; i < f->n_waits; i++)
                job_snapshot_free(f->waits[i].result);
        free(f->waits);
        rows_done((Rows *) &f->attempts, &attempt_type);
}

static void finish(Refresh *f, Wait *w) {
        w->over = true;
        f->n_open--;
}

static void show_outcome(Ctl *ctl, const JobSnapshot *j) {
        usec_t now = now_real();
        char *text = NULL;
        int r;

        if (!isempty(j->reason) || !job_is_well(j, now))
                ctl_note(ctl, STATUS_ATTENTION);
        if (ctl->options.json == JSON_OFF) {
                r = render_outcome(j, &ctl->style, now, &text);
                ctl_print(ctl, r, text);
        }
}

/* An attempt that was asked for never comes if the configuration breaks before. Attempts fail at that step,
 * too, but then there is another one to come, or under way. */
static bool is_over(const Wait *w, const JobSnapshot *j) {
        return j->attempts_ended >= w->attempt ||
               (streq(j->step, "configuration") && j->next_attempt == 0 && !streq(j->state, "refreshing"));
}

static void look(Refresh *f, Wait *w, const JobSnapshot *j) {
        if (!is_over(w, j))
                return;
        w->result = job_snapshot_ref(j);
        show_outcome(f->ctl, j);
        finish(f, w);
}

static void tell_removed(Refresh *f, Wait *w) {
        complain("Job '%s' was removed before the attempt ended", w->name);
        ctl_note(f->ctl, STATUS_NO_SUCH_JOB);
        finish(f, w);
}

static Wait *find_wait(Refresh *f, const char *name) {
        for (size_t i = 0; i < f->n_waits; i++)
                if (!f->waits[i].over && streq(f->waits[i].name, name))
                        return f->waits + i;
        return NULL;
}

static void on_job(const JobSnapshot *j, const JobSnapshot *before, void *userdata) {
        Refresh *f = userdata;
        Wait *w = find_wait(f, j->name);

        if (w)
                look(f, w, j);
}

static void on_removed(const JobSnapshot *last, void *userdata) {
        Refresh *f = userdata;
        Wait *w = find_wait(f, last->name);

        if (w)
                tell_removed(f, w);
}

static void on_failed(const BusProblem *problem, void *userdata) {
        Refresh *f = userdata;

        ctl_report(f->ctl, problem);
        f->abandoned = true;
}

static void on_vanished(void *userdata) {
        Refresh *f = userdata;

        if (f->abandoned || f->n_open == 0)
                return;
        complain("pullauthd ended before the attempts did");
        fputs("'systemctl status pullauthd.service' says why\n", stderr);
        ctl_note(f->ctl, STATUS_FAILED);
        f->abandoned = true;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Refresh *f = userdata;

        if (f->abandoned || f->n_open == 0)
                return 0;
        for (size_t i = 0; i < f->n_waits; i++)
                if (!f->waits[i].over)
                        complain("The attempt of job '%s' has not ended in time, it goes on",
                                 f->waits[i].name);
        ctl_note(f->ctl, STATUS_FAILED);
        f->abandoned = true;
        return 0;
}

/* Moves the attempts of one answer to ours. */
static int add_attempts(Refresh *f, Attempts *more) {
        Attempt *grown;

        grown = reallocarray(f->attempts.items, f->attempts.n_items + more->n_items, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        f->attempts.items = grown;
        for (size_t i = 0; i < more->n_items; i++)
                grown[f->attempts.n_items++] =
                        (Attempt){ TAKE_PTR(more->items[i].name), more->items[i].number };
        return 0;
}

/* Returns 0, or -1 after reporting. */
static int request_one(Refresh *f, ClientMethod method, const char *name) {
        const ClientArguments arguments = { .name = name };
        _cleanup_(answer_done) Answer a = {};
        int r;

        if (ctl_call(f->ctl, method, &arguments, &a) < 0)
                return -1;
        r = a.attempts.n_items > 0 ? add_attempts(f, &a.attempts) : 0;
        if (r < 0)
                ctl_report_local(f->ctl, r);
        return r < 0 ? -1 : 0;
}

/* Asks for the attempts of the selected jobs, or with `all` of all there are (of a registry): one question,
 * one password. What cannot be had was reported; the others go on. */
static int request(Refresh *f, const JobSnapshot *const *jobs, size_t n_jobs, bool all) {
        const char *registry = f->ctl->options.registry;

        if (all)
                return request_one(f, registry ? METHOD_REFRESH_REGISTRY : METHOD_REFRESH_ALL, registry);
        for (size_t i = 0; i < n_jobs; i++)
                /* What was refused once is refused for the next job as well; one password is enough. */
                if (request_one(f, METHOD_REFRESH_JOB, jobs[i]->name) < 0 && f->ctl->status == STATUS_FAILED)
                        return -1;
        return 0;
}

/* RefreshAll() leaves out jobs that cannot be tried; they are no secret. */
static void complain_untried(Refresh *f, const JobSnapshot *const *jobs, size_t n_jobs) {
        for (size_t i = 0; i < n_jobs; i++) {
                bool tried = false;

                for (size_t k = 0; k < f->attempts.n_items && !tried; k++)
                        tried = streq(f->attempts.items[k].name, jobs[i]->name);
                if (tried || !jobs[i]->enabled)
                        continue;
                complain("Job '%s' cannot be tried as it is configured, see 'pullauthctl status %s'",
                         jobs[i]->name, jobs[i]->name);
                ctl_note(f->ctl, STATUS_ATTENTION);
        }
}

static void show_attempts(Refresh *f) {
        Ctl *ctl = f->ctl;
        char *text = NULL;
        int r;

        if (ctl->options.json != JSON_OFF) {
                r = render_json_rows(&f->attempts, &attempt_type, ctl->options.json, &text);
                ctl_print(ctl, r, text);
                return;
        }
        for (size_t i = 0; i < f->attempts.n_items; i++) {
                _cleanup_free_ char *name = NULL;

                r = style_text(&ctl->style, f->attempts.items[i].name, &name);
                if (r >= 0)
                        r = text_format(&text, "%s: attempt %" PRIu64 " asked for\n", name,
                                        f->attempts.items[i].number);
                ctl_print(ctl, r, TAKE_PTR(text));
        }
}

static int add_waits(Refresh *f) {
        f->waits = calloc(f->attempts.n_items + 1, sizeof(*f->waits));
        if (!f->waits)
                return -ENOMEM;
        for (size_t i = 0; i < f->attempts.n_items; i++)
                f->waits[f->n_waits++] = (Wait){ f->attempts.items[i].name, f->attempts.items[i].number };
        f->n_open = f->n_waits;
        return 0;
}

/* What has ended, or went, while it was being asked for. */
static void look_at_each(Refresh *f) {
        for (size_t i = 0; i < f->n_waits; i++) {
                Wait *w = f->waits + i;
                const JobSnapshot *j = follow_find(f->follow, w->name);

                if (!w->over && j)
                        look(f, w, j);
                else if (!w->over)
                        tell_removed(f, w);
        }
}

static int show_results(Refresh *f) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        char *text = NULL;
        size_t n = 0;
        int r;

        jobs = calloc(f->n_waits + 1, sizeof(*jobs));
        if (!jobs)
                return -ENOMEM;
        for (size_t i = 0; i < f->n_waits; i++)
                if (f->waits[i].result)
                        jobs[n++] = f->waits[i].result;
        r = render_json_status(jobs, n, f->ctl->options.json, now_real(), &text);
        ctl_print(f->ctl, r, text);
        return 0;
}

static int wait_for_attempts(Refresh *f) {
        Ctl *ctl = f->ctl;
        bool looked = false;
        int r;

        r = add_waits(f);
        if (r >= 0 && ctl->options.timeout != USEC_INFINITY)
                r = sd_event_add_time_relative(ctl->event, NULL, CLOCK_BOOTTIME, ctl->options.timeout,
                                               /* accuracy= */ 1, on_timeout, f);
        while (r >= 0 && f->n_open > 0 && !f->abandoned)
                if (!looked && follow_is_complete(f->follow)) {
                        looked = true;
                        look_at_each(f);
                } else
                        r = sd_event_run(ctl->event, UINT64_MAX);
        if (r < 0)
                return r;
        return ctl->options.json == JSON_OFF ? 0 : show_results(f);
}

static int start_following(Refresh *f) {
        const FollowObserver observer = {
                .job = on_job,
                .removed = on_removed,
                .vanished = on_vanished,
                .failed = on_failed,
                .userdata = f,
        };

        return follow_new(f->ctl->client, &observer, &f->follow);
}

void verb_refresh(Ctl *ctl, char *const *arguments) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        _cleanup_(refresh_done) Refresh f = { .ctl = ctl };
        bool all = !arguments[0];
        size_t n = 0;
        bool wait = option_given(&ctl->options, OPT_WAIT);
        int r;

        if (ctl_get_all(ctl, &s) < 0)
                return;
        r = select_jobs(ctl, s, arguments, &jobs, &n);
        if (r >= 0 && wait)
                r = start_following(&f);
        if (r >= 0 && (all || n > 0)) {
                if (request(&f, jobs, n, all) < 0 && f.attempts.n_items == 0)
                        return;
                if (all)
                        complain_untried(&f, jobs, n);
                if (wait)
                        r = wait_for_attempts(&f);
                else
                        show_attempts(&f);
        }
        if (r < 0)
                ctl_report_local(ctl, r);
}
