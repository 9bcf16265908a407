/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* get, list, version; store and erase say no.
 *
 * Owns what a tool is told. The protocol has one sentence that makes it go on without a credential; any
 * other text with exit status 1 fails the pull, also that of a public image. So whatever means that there is
 * no credential is that sentence, with the reason on standard error, where people see it; and that nobody
 * could be asked, or that the caller may not have it, is an error. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/stream.h"
#include "base/text.h"
#include "client/once.h"
#include "config.h"
#include "helper/answer.h"
#include "helper/protocol.h"
#include "helper/server.h"

/* Compared letter by letter by those who read them. */
#define NOT_FOUND "credentials not found in native keychain"
#define NO_SERVER "no credentials server URL"

static int tell(const char *text) {
        _cleanup_secret_ Secret *line = NULL;
        _cleanup_free_ char *whole = NULL;

        if (text_format(&whole, "%s\n", text) >= 0 && secret_new_string(whole, &line) >= 0)
                (void) stream_write(STDOUT_FILENO, line);
        return EXIT_FAILURE;
}

static int tell_errno(int error, const char *what) {
        _cleanup_free_ char *text = NULL;

        errno = error < 0 ? -error : error;
        return tell(text_format(&text, "Cannot %s: %m", what) < 0 ? "Out of memory" : text);
}

static void note(const char *text) {
        fprintf(stderr, "docker-credential-pullauth: %s\n", text);
}

static int write_answer(int r, const Secret *answer) {
        if (r < 0)
                return tell_errno(r, "print the answer");
        r = stream_write(STDOUT_FILENO, answer);
        if (r == 0)
                return EXIT_SUCCESS;
        errno = -r;
        fprintf(stderr, "docker-credential-pullauth: Cannot write to standard output: %m\n");
        return EXIT_FAILURE;
}

/* --- get --- */

typedef struct Get {
        Server server;
        int status;
} Get;

/* What the tool should go on without a credential for, and whether anybody should hear of it. */
static bool is_not_found(ApiError e, bool *ret_quiet) {
        *ret_quiet = e == API_ERROR_NO_SUCH_JOB;
        return *ret_quiet || e == API_ERROR_INVALID_NAME || e == API_ERROR_NO_CREDENTIAL ||
               e == API_ERROR_JOB_DISABLED || e == API_ERROR_SEVERAL_JOBS;
}

static int tell_problem(const BusProblem *problem) {
        _cleanup_free_ char *text = NULL;
        bool quiet;

        if (client_once_explain(problem, &text) < 0)
                return tell("Out of memory");
        if (!is_not_found(problem->error, &quiet))
                return tell(text);
        if (!quiet)
                note(text);
        return tell(NOT_FOUND);
}

static int tell_credential(const Server *server, const Answer *answer) {
        _cleanup_(entry_done) Entry entry = {};
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = entry_read(answer->credential, answer->scope, &entry);
        if (r == -EBADMSG)
                return tell("pullauthd handed out something else than a credential for this registry");
        if (r >= 0)
                r = answer_credential(server->given, &entry, &text);
        return write_answer(r, text);
}

static void on_credential(ClientReply *reply, void *userdata) {
        Get *g = userdata;

        g->status =
                reply->problem ? tell_problem(reply->problem) : tell_credential(&g->server, &reply->answer);
}

static int ask_for(const Server *server, Get *g) {
        const ClientArguments arguments = { .name = server->image ?: server->registry };

        return client_once(server->image ? METHOD_GET_CREDENTIAL_FOR_IMAGE
                                         : METHOD_GET_CREDENTIAL_FOR_REGISTRY,
                           &arguments, on_credential, g);
}

static void get_done(Get *g) {
        server_done(&g->server);
}

static int run_get(void) {
        _cleanup_(get_done) Get g = { .status = EXIT_FAILURE };
        _cleanup_secret_ Secret *input = NULL;
        int r;

        r = stream_read(STDIN_FILENO, SERVER_MAX, &input);
        if (r < 0 && r != -EFBIG)
                return tell_errno(r, "read standard input");
        if (r >= 0)
                r = server_read(input, &g.server);
        if (r == -ENODATA)
                return tell(NO_SERVER);
        if (r == -EFBIG || r == -EINVAL) {
                note("What stands on standard input is no name of a registry");
                return tell(NOT_FOUND);
        }
        if (r >= 0)
                r = ask_for(&g.server, &g);
        return r < 0 ? tell_errno(r, "ask pullauthd") : g.status;
}

/* --- list --- */

static void on_registries(ClientReply *reply, void *userdata) {
        _cleanup_secret_ Secret *text = NULL;
        int *status = userdata, r;

        if (reply->problem) {
                *status = tell_problem(reply->problem);
                return;
        }
        r = answer_list(&reply->answer.registries, &text);
        *status = write_answer(r, text);
}

static int run_list(void) {
        int status = EXIT_FAILURE, r;

        r = client_once(METHOD_LIST_REGISTRIES, NULL, on_registries, &status);
        return r < 0 ? tell_errno(r, "ask pullauthd") : status;
}

static int run_version(void) {
        return dprintf(STDOUT_FILENO, "docker-credential-pullauth %s\n", PROJECT_VERSION) < 0 ? EXIT_FAILURE
                                                                                              : EXIT_SUCCESS;
}

static int run_store(void) {
        return tell("pullauthd gets the credentials of its jobs by itself and stores no others, use an "
                    "auth.json for those");
}

static int run_erase(void) {
        return tell("pullauthd takes credentials back when they end, or with 'pullauthctl disable'");
}

int protocol_run(const char *verb) {
        static const struct {
                const char *name;
                int (*run)(void);
        } verbs[] = {
                { "get", run_get },     { "list", run_list },       { "store", run_store },
                { "erase", run_erase }, { "version", run_version },
        };

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, verb))
                        return verbs[i].run();
        return -1;
}
