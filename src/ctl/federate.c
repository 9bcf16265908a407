/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Running the program that has the network.
 *
 * The request goes as its standard input, so that the OAuth token is in no argument and no environment; what
 * comes back is bounded in time and size and read like foreign bytes. Owns the process while it runs. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/text.h"
#include "config.h"
#include "ctl/federate.h"
#include "io/process.h"

#define PROGRAM LIBEXECDIR "/pullauth-federate"
/* So many requests it makes at most, and what it takes besides. */
#define REQUESTS_MAX 3
#define PATIENCE (10 * USEC_PER_SEC)
#define REQUEST_TIMEOUT_DEFAULT (30 * USEC_PER_SEC)

typedef struct Asking {
        bool ended;
        ProcessOutcome outcome;
        int status;
        char *words;
        Secret *output;
} Asking;

static void asking_done(Asking *a) {
        free(a->words);
        secret_free(a->output);
}

static void on_end(const ProcessResult *result, Secret *output, void *userdata) {
        Asking *a = userdata;

        a->ended = true;
        a->outcome = result->outcome;
        a->status = result->status;
        a->output = output;
        (void) free_and_strdup(&a->words, result->last_words);
}

/* Another place is for those who build the program and for tests. */
static const char *program(void) {
        const char *e = secure_getenv("PULLAUTH_FEDERATE_PROGRAM");

        return isempty(e) ? PROGRAM : e;
}

static int run(Ctl *ctl, const Secret *input, usec_t timeout, Asking *a) {
        _cleanup_(processes_freep) Processes *processes = NULL;
        _cleanup_(process_freep) Process *process = NULL;
        const char *const arguments[] = { program(), NULL };
        const ProcessSpec spec = {
                .arguments = (char *const *) arguments,
                .environment = environ,
                .timeout = usec_add(REQUESTS_MAX * timeout, PATIENCE),
                .output_max = FEDERATION_ANSWER_MAX,
                .input = input,
        };
        sigset_t child;
        int r;

        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
                return -errno;
        r = processes_new(ctl->event, /* flags= */ 0, &processes);
        if (r >= 0)
                r = process_start(processes, &spec, on_end, a, &process);
        while (r >= 0 && !a->ended)
                r = sd_event_run(ctl->event, UINT64_MAX);
        return r;
}

void federate_report(Ctl *ctl, const Failure *f) {
        BusProblem problem = { .kind = PROBLEM_OTHER, .advice = (char *) failure_hint(f) };
        _cleanup_free_ char *what = NULL;
        int r;

        r = text_format(&what, "%s%s%s%s", f->message, f->words ? ": “" : "", strempty(f->words),
                        f->words ? "”" : "");
        problem.what = what;
        if (r < 0)
                ctl_report_local(ctl, r);
        else
                ctl_report(ctl, &problem);
}

static void report_end(Ctl *ctl, const Asking *a) {
        ctl_note(ctl, STATUS_FAILED);
        if (a->outcome == PROCESS_TIMEOUT)
                complain("%s did not end in time and was killed", program());
        else
                complain("%s ended without an answer: %s", program(),
                         isempty(a->words) ? "it said nothing" : a->words);
        fputs("Install pullauthd again if that lasts\n", stderr);
}

static int read_answer(Ctl *ctl, const Asking *a, Federation *ret) {
        _cleanup_failure_ Failure *f = NULL;
        int r = -EBADMSG;

        if (a->outcome == PROCESS_EXITED && a->status == EXIT_SUCCESS)
                r = federation_answer_read(a->output, ret, &f);
        if (r == 0)
                return 0;
        if (f)
                federate_report(ctl, f);
        else if (r == -ENOMEM)
                ctl_report_local(ctl, r);
        else
                report_end(ctl, a);
        return -1;
}

int federate_ask(Ctl *ctl, const FederationRequest *q, Federation *ret) {
        _cleanup_(asking_done) Asking a = {};
        _cleanup_secret_ Secret *input = NULL;
        int r;

        r = federation_request_write(q, &input);
        if (r >= 0)
                r = run(ctl, input, q->timeout ?: REQUEST_TIMEOUT_DEFAULT, &a);
        if (r >= 0)
                return read_answer(ctl, &a, ret);
        ctl_note(ctl, STATUS_FAILED);
        errno = -r;
        complain("%s cannot be run: %m", program());
        if (r == -ENOENT || r == -EACCES)
                fputs("Install pullauthd again, with all of its programs\n", stderr);
        return -1;
}
