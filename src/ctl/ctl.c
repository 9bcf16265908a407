/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls with an event loop around them, and everything that goes to the terminal.
 *
 * Commands of a tool do one thing after the other, so here the answer to each call is waited for; the calls
 * themselves stay asynchronous and bounded (client/client.h). Standard output gets results and nothing else.
 * */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/pager.h"

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

static ExitStatus status_of(BusProblemKind kind) {
        switch (kind) {
        case PROBLEM_NO_SUCH_JOB:
                return STATUS_NO_SUCH_JOB;
        case PROBLEM_ATTENTION:
                return STATUS_ATTENTION;
        case PROBLEM_NO_BUS:
        case PROBLEM_NOT_RUNNING:
        case PROBLEM_NO_ANSWER:
        case PROBLEM_DENIED:
        case PROBLEM_UNASKED:
        case PROBLEM_BUSY:
        case PROBLEM_REFUSED:
        case PROBLEM_OTHER_VERSION:
        case PROBLEM_OTHER:
        case _PROBLEM_KIND_MAX:
        case _PROBLEM_KIND_INVALID:
                break;
        }
        return STATUS_FAILED;
}

void ctl_report(Ctl *ctl, const BusProblem *problem) {
        _cleanup_free_ char *what = NULL, *advice = NULL;

        ctl_note(ctl, status_of(problem->kind));
        if (style_text(&ctl->style, problem->what, &what) >= 0)
                complain("%s", what);
        if (problem->advice && style_text(&ctl->style, problem->advice, &advice) >= 0)
                fprintf(stderr, "%s\n", advice);
}

void ctl_report_local(Ctl *ctl, int error) {
        _cleanup_(bus_problem_freep) BusProblem *problem = NULL;

        ctl_note(ctl, STATUS_FAILED);
        if (error == -ENOMEM || bus_problem_new_local(error, &problem) < 0)
                complain("Out of memory");
        else
                ctl_report(ctl, problem);
}

void ctl_report_errno(Ctl *ctl, int error, const char *what) {
        ctl_note(ctl, STATUS_FAILED);
        errno = error < 0 ? -error : error;
        complain("Cannot %s: %m", what);
}

bool ctl_flush(Ctl *ctl) {
        struct pollfd reader = { .fd = STDOUT_FILENO };
        int error;

        if (fflush(stdout) == 0 && !ferror(stdout))
                return true;
        error = errno;
        /* A pipe whose other end is closed: whoever read it has seen enough. */
        if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR))
                return false;
        ctl_report_errno(ctl, error, "write to standard output");
        clearerr(stdout);
        return false;
}

void ctl_print(Ctl *ctl, int r, char *text) {
        if (r < 0)
                ctl_report_errno(ctl, r, "show the answer");
        else if (ctl->paged && pager_show(&ctl->style, text) > 0)
                ; /* the pager had it */
        else {
                (void) fputs(text, stdout);
                (void) ctl_flush(ctl);
        }
        free(text);
}

static int find_bus(Ctl *ctl) {
        bool ask = !option_given(&ctl->options, OPT_NO_ASK_PASSWORD);
        int r = 0;

        if (ctl->client)
                return 0;
        if (!ctl->event)
                r = sd_event_default(&ctl->event);
        return r < 0 ? r : client_new(ctl->event, ask ? CLIENT_INTERACTIVE : 0, &ctl->client);
}

int ctl_connect(Ctl *ctl) {
        int r;

        r = find_bus(ctl);
        if (r >= 0)
                return 0;
        ctl_report_local(ctl, r);
        return -1;
}

/* An answer that is being waited for. */
typedef struct Waited {
        Ctl *ctl;
        ClientReply reply;
        bool arrived, failed, absent;
        bool may_be_absent;
} Waited;

static void on_reply(ClientReply *reply, void *userdata) {
        Waited *w = userdata;

        w->arrived = true;
        if (reply->problem) {
                w->failed = true;
                w->absent = w->may_be_absent && (reply->problem->kind == PROBLEM_NOT_RUNNING ||
                                                 reply->problem->kind == PROBLEM_NO_BUS);
                if (!w->absent)
                        ctl_report(w->ctl, reply->problem);
                return;
        }
        w->reply = *reply;
        *reply = (ClientReply){};
}

/* `r` is what starting the call returned. */
static int wait_for(Waited *w, int r) {
        while (r >= 0 && !w->arrived)
                r = sd_event_run(w->ctl->event, UINT64_MAX);
        if (r < 0)
                ctl_report_local(w->ctl, r);
        return r < 0 || w->failed ? -1 : 0;
}

int ctl_get_all(Ctl *ctl, Snapshot **ret) {
        Waited w = { .ctl = ctl };

        if (ctl_connect(ctl) < 0 || wait_for(&w, client_get_all(ctl->client, on_reply, &w)) < 0)
                return -1;
        *ret = w.reply.snapshot;
        return 0;
}

int ctl_get_all_if_running(Ctl *ctl, Snapshot **ret) {
        Waited w = { .ctl = ctl, .may_be_absent = true };

        if (find_bus(ctl) < 0)
                return 0;
        if (wait_for(&w, client_get_all(ctl->client, on_reply, &w)) < 0)
                return w.absent ? 0 : -1;
        *ret = w.reply.snapshot;
        return 1;
}

static int call(Waited *w, ClientMethod method, const ClientArguments *arguments) {
        Ctl *ctl = w->ctl;

        if (ctl_connect(ctl) < 0)
                return -1;
        /* Somebody to ask for a password, in place before the question. */
        if (client_method_action(method) && !ctl->agent && !option_given(&ctl->options, OPT_NO_ASK_PASSWORD))
                (void) agent_start(&ctl->agent);
        return wait_for(w, client_call(ctl->client, method, arguments, on_reply, w));
}

int ctl_call(Ctl *ctl, ClientMethod method, const ClientArguments *arguments, Answer *ret) {
        Waited w = { .ctl = ctl };

        if (call(&w, method, arguments) < 0)
                return -1;
        *ret = w.reply.answer;
        return 0;
}

int ctl_call_if_running(Ctl *ctl, ClientMethod method, const ClientArguments *arguments, Answer *ret) {
        Waited w = { .ctl = ctl, .may_be_absent = true };

        if (call(&w, method, arguments) < 0)
                return w.absent ? 0 : -1;
        *ret = w.reply.answer;
        return 1;
}

int ctl_do(Ctl *ctl, ClientMethod method, const ClientArguments *arguments) {
        _cleanup_(answer_done) Answer a = {};

        return ctl_call(ctl, method, arguments, &a);
}
