/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls with an event loop around them, and everything that goes to the terminal.
 *
 * Commands of a tool do one thing after the other, so here the answer to each call is waited for; the calls
 * themselves stay asynchronous and bounded (client/client.h). Standard output gets results and nothing else.
 * */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/near.h"
#include "ctl/ctl.h"

#define SUGGESTIONS_MAX 3

void ctl_done(Ctl *ctl) {
        client_free(ctl->client);
        agent_free(ctl->agent);
        sd_event_unref(ctl->event);
        *ctl = (Ctl){};
}

void ctl_note(Ctl *ctl, ExitStatus status) {
        static const ExitStatus order[] = { STATUS_USAGE, STATUS_FAILED, STATUS_NO_SUCH_JOB,
                                            STATUS_ATTENTION };

        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                if (ctl->status == order[i])
                        return;
                if (status == order[i])
                        ctl->status = status;
        }
}

void ctl_complain(const char *format, ...) {
        va_list ap;

        (void) fflush(stdout);
        fputs("pullauthctl: ", stderr);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
}

void ctl_report(Ctl *ctl, const BusProblem *problem) {
        _cleanup_free_ char *what = NULL, *advice = NULL;

        switch (problem->kind) {
        case PROBLEM_NO_SUCH_JOB:
                ctl_note(ctl, STATUS_NO_SUCH_JOB);
                break;
        case PROBLEM_CONFIGURATION:
                ctl_note(ctl, STATUS_ATTENTION);
                break;
        case PROBLEM_NO_BUS:
        case PROBLEM_NOT_RUNNING:
        case PROBLEM_NO_ANSWER:
        case PROBLEM_DENIED:
        case PROBLEM_UNASKED:
        case PROBLEM_BUSY:
        case PROBLEM_OTHER_VERSION:
        case PROBLEM_OTHER:
        case _PROBLEM_KIND_MAX:
        case _PROBLEM_KIND_INVALID:
                ctl_note(ctl, STATUS_FAILED);
                break;
        }
        if (style_text(&ctl->style, problem->what, &what) >= 0)
                ctl_complain("%s", what);
        if (problem->advice && style_text(&ctl->style, problem->advice, &advice) >= 0)
                fprintf(stderr, "%s\n", advice);
}

void ctl_report_local(Ctl *ctl, int error) {
        _cleanup_(bus_problem_freep) BusProblem *problem = NULL;

        ctl_note(ctl, STATUS_FAILED);
        if (bus_problem_new_local(error, &problem) < 0)
                ctl_complain("Out of memory");
        else
                ctl_report(ctl, problem);
}

void ctl_print(Ctl *ctl, int r, char *text) {
        if (r < 0) {
                errno = -r;
                ctl_complain("Cannot show the answer: %m");
                ctl_note(ctl, STATUS_FAILED);
        } else if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
                ctl_complain("Cannot write to standard output: %m");
                ctl_note(ctl, STATUS_FAILED);
        }
        free(text);
}

int ctl_connect(Ctl *ctl) {
        int r;

        if (ctl->client)
                return 0;
        r = sd_event_default(&ctl->event);
        if (r >= 0)
                r = client_new(ctl->event, ctl->ask ? CLIENT_INTERACTIVE : 0, &ctl->client);
        if (r >= 0)
                return 0;
        ctl_report_local(ctl, r);
        return -1;
}

/* An answer that is being waited for. */
typedef struct Answer {
        Ctl *ctl;
        ClientReply reply;
        bool arrived, failed;
} Answer;

static void on_reply(ClientReply *reply, void *userdata) {
        Answer *a = userdata;

        a->arrived = true;
        if (reply->problem) {
                a->failed = true;
                ctl_report(a->ctl, reply->problem);
                return;
        }
        a->reply = *reply;
        *reply = (ClientReply){};
}

/* `r` is what starting the call returned. */
static int wait_for(Answer *a, int r) {
        while (r >= 0 && !a->arrived)
                r = sd_event_run(a->ctl->event, UINT64_MAX);
        if (r < 0)
                ctl_report_local(a->ctl, r);
        return r < 0 || a->failed ? -1 : 0;
}

int ctl_get_all(Ctl *ctl, Snapshot **ret) {
        Answer a = { .ctl = ctl };

        if (ctl_connect(ctl) < 0 || wait_for(&a, client_get_all(ctl->client, on_reply, &a)) < 0)
                return -1;
        *ret = a.reply.snapshot;
        return 0;
}

/* Somebody to ask for a password, in place before the question. */
static void prepare_to_ask(Ctl *ctl) {
        if (ctl->ask && !ctl->agent)
                (void) agent_start(&ctl->agent);
}

int ctl_refresh(Ctl *ctl, const char *job, Attempts *ret) {
        Answer a = { .ctl = ctl };
        int r;

        if (ctl_connect(ctl) < 0)
                return -1;
        prepare_to_ask(ctl);
        r = job ? client_refresh(ctl->client, job, on_reply, &a)
                : client_refresh_all(ctl->client, on_reply, &a);
        if (wait_for(&a, r) < 0)
                return -1;
        *ret = a.reply.attempts;
        return 0;
}

int ctl_reload(Ctl *ctl, ShownMessages *ret) {
        Answer a = { .ctl = ctl };

        if (ctl_connect(ctl) < 0)
                return -1;
        prepare_to_ask(ctl);
        if (wait_for(&a, client_reload(ctl->client, on_reply, &a)) < 0)
                return -1;
        *ret = a.reply.messages;
        return 0;
}

static int complain_no_such_job(Ctl *ctl, const Snapshot *s, const char *name) {
        _cleanup_strv_ char **names = NULL, **near = NULL;
        _cleanup_free_ char *shown = NULL, *joined = NULL;
        int r;

        ctl_note(ctl, STATUS_NO_SUCH_JOB);
        r = text_clean(name, strlen(name), 256, &shown);
        for (size_t i = 0; i < s->n_jobs && r >= 0; i++)
                r = strv_append(&names, s->jobs[i]->name);
        if (r >= 0)
                r = near_names(name, names, SUGGESTIONS_MAX, &near);
        if (r >= 0)
                r = strv_join(near, "' or '", &joined);
        if (r < 0)
                return r;
        if (strv_length(near) > 0)
                ctl_complain("No job '%s', did you mean '%s'?", shown, joined);
        else if (s->n_jobs == 0)
                ctl_complain("No job '%s', there are no jobs at all ('pullauthctl' says how to make one)",
                             shown);
        else
                ctl_complain("No job '%s', 'pullauthctl list' shows all jobs", shown);
        return 0;
}

int ctl_select_jobs(Ctl *ctl, const Snapshot *s, char *const *names, const JobSnapshot ***ret,
                    size_t *ret_n) {
        _cleanup_free_ const JobSnapshot **l = NULL;
        size_t n = 0;
        int r;

        l = calloc(s->n_jobs + strv_length(names) + 1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_jobs && !(names && names[0]); i++)
                l[n++] = s->jobs[i];
        STRV_FOREACH(name, names) {
                const JobSnapshot *j = snapshot_find(s, *name);
                bool doubled = false;

                if (!j) {
                        r = complain_no_such_job(ctl, s, *name);
                        if (r < 0)
                                return r;
                        continue;
                }
                for (size_t i = 0; i < n; i++)
                        doubled = doubled || l[i] == j;
                if (!doubled)
                        l[n++] = j;
        }
        *ret = TAKE_PTR(l);
        *ret_n = n;
        return 0;
}
