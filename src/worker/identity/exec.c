/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs the program that the administrator named, as the worker that we are: without privileges, without a
 * file of the host that not everybody can read, with an environment of three variables.
 *
 * Owns the process of one attempt. Its output is the token or has it (token-document); of its standard
 * error the last line is repeated to people, so that is no place for secrets, as pullauth.identity(5)
 * says. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/command.h"
#include "io/process.h"
#include "model/door.h"
#include "worker/identity/exec.h"
#include "worker/token-document.h"

#define TIMEOUT_DEFAULT (20 * USEC_PER_SEC)

typedef struct ExecRun {
        Process *process;
        usec_t timeout;
        char *program; /* its name, for messages */
        sd_event_source *finish;
        Failure *failure; /* of a program that could not even be started */
        SourceHandler handler;
        void *userdata;
} ExecRun;

static void exec_free(void *run) {
        ExecRun *e = run;

        if (!e)
                return;
        process_free(e->process);
        sd_event_source_disable_unref(e->finish);
        failure_free(e->failure);
        free(e->program);
        free(e);
}

static int complain_status(const ExecRun *e, const ProcessResult *result, Failure **ret) {
        char span[SPAN_MAX];

        switch (result->outcome) {
        case PROCESS_EXITED:
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                   "The command %s failed with status %d", e->program, result->status);
        case PROCESS_KILLED:
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                   "The command %s was ended by signal %s", e->program,
                                   sigabbrev_np(result->status) ?: "?");
        case PROCESS_TIMEOUT:
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                   "The command %s did not end within %s and was killed", e->program,
                                   format_span(span, e->timeout));
        case PROCESS_TOO_LARGE:
                return failure_new(ret, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                   "The command %s printed more than a token can have", e->program);
        case _PROCESS_OUTCOME_MAX:
        case _PROCESS_OUTCOME_INVALID:
                break;
        }
        return -EINVAL;
}

/* Returns 1 with *reterr, or a negative errno. */
static int complain(const ExecRun *e, const ProcessResult *result, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        r = complain_status(e, result, &f);
        if (r >= 0 && !isempty(result->last_words))
                r = failure_set_words(f, result->last_words, strlen(result->last_words));
        if (r >= 0)
                r = failure_set_hint(
                        f, "Run the command by hand as a user without rights: it has the rights of "
                           "pullauth-worker.service, and PATH, LANG and HOME=/ as its environment");
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return 1;
}

/* Returns 0, 1 with *reterr, or a negative errno. */
static int read_output(const ExecRun *e, Secret *output, Secret **ret, Failure **reterr) {
        int r;

        r = token_document_read(output, ret);
        if (r == -ENOENT)
                r = failure_new(reterr, STEP_IDENTITY, REASON_TOKEN_MALFORMED,
                                "The command %s printed a JSON document without a token in it", e->program);
        else if (r == -EBADMSG)
                r = failure_new(reterr, STEP_IDENTITY, REASON_TOKEN_MALFORMED,
                                "The command %s printed neither a token nor a whole JSON document",
                                e->program);
        else
                return r;
        if (r >= 0)
                r = failure_set_hint(*reterr, "Let the command print the JWT alone, or {\"token\": \"…\"}");
        return r < 0 ? r : 1;
}

static void on_process(const ProcessResult *result, Secret *output, void *userdata) {
        ExecRun *e = userdata;
        Secret *token = NULL;
        Failure *f = NULL;
        int r;

        if (result->outcome == PROCESS_EXITED && result->status == 0)
                r = read_output(e, output, &token, &f);
        else {
                secret_free(output);
                r = complain(e, result, &f);
        }
        e->handler(r, token, f, e->userdata);
}

static int on_not_started(sd_event_source *source, void *userdata) {
        ExecRun *e = userdata;

        e->handler(1, NULL, TAKE_PTR(e->failure), e->userdata);
        return 0;
}

/* Told by the event loop, as everything else is. */
static int fail_later(ExecRun *e, const SourceQuestion *q, int error) {
        int r;

        r = failure_new(&e->failure, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                        "The command %s cannot be started: %s", e->program,
                        strerrordesc_np(-error) ?: "unknown error");
        if (r >= 0)
                r = failure_set_hint(e->failure,
                                     "Check Command= of the identity, and that everybody may execute the "
                                     "program and read what it needs");
        return r < 0 ? r : sd_event_add_defer(q->context->event, &e->finish, on_not_started, e);
}

static int start(ExecRun *e, const SourceQuestion *q) {
        static const char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                                   "HOME=/", NULL };
        const char *command = request_setting(q->request, "Command"),
                   *timeout = request_setting(q->request, "Timeout");
        _cleanup_strv_ char **arguments = NULL;
        uint64_t limit;
        int r;

        r = command_split(strempty(command), &arguments);
        if (r < 0)
                return r;
        r = free_and_strdup(&e->program, arguments[0]);
        if (r < 0)
                return r;
        e->timeout = timeout && parse_u64(timeout, 1, USEC_PER_HOUR, &limit) >= 0 ? limit : TIMEOUT_DEFAULT;
        if (e->timeout > q->timeout)
                e->timeout = q->timeout;
        r = process_start(q->context->processes,
                          &(ProcessSpec){
                                  .arguments = arguments,
                                  .environment = (char *const *) environment,
                                  .timeout = e->timeout,
                                  .output_max = DOOR_TOKEN_MAX,
                          },
                          on_process, e, &e->process);
        return r < 0 && r != -ENOMEM ? fail_later(e, q, r) : r;
}

static int exec_start(const SourceQuestion *q, SourceHandler handler, void *userdata, void **ret_run) {
        ExecRun *e;
        int r;

        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        e->handler = handler;
        e->userdata = userdata;
        r = start(e, q);
        if (r < 0) {
                exec_free(e);
                return r;
        }
        *ret_run = e;
        return 0;
}

const IdentitySourceType identity_exec = {
        .name = "exec",
        .start = exec_start,
        .free = exec_free,
        .remedies = {
                [LINT_EMPTY] = "Let the program in Command= of the identity print the token to its "
                               "standard output, or fail with a status and a line on its standard error",
                [LINT_MALFORMED] = "Let the program in Command= of the identity print the JWT alone, in one "
                                   "line and without 'Bearer', or a JSON document with a member \"token\"",
                [LINT_ALGORITHM] = "Let the program in Command= of the identity get its token of an issuer "
                                   "that signs with an RSA key, by RS256 or RS384",
                [LINT_ISSUER] = "Let the program in Command= of the identity get its token of an issuer "
                                "with an https:// address; Quay asks no other",
                [LINT_AUDIENCE] = "Let the program in Command= of the identity ask for the audience in "
                                  "Audience= ('kubectl create token' has --audience), or correct Audience=",
                [LINT_EXPIRED] = "Let the program in Command= of the identity make a token each time that "
                                 "it is asked, not print one that it keeps",
        },
};
