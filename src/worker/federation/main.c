/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pullauth-federate: one question to the API of a registry, for pullauthctl.
 *
 * A program of its own, so that a tool that people run as root does not have to link an HTTP and a TLS
 * library, and so that the OAuth token ends with it. Gets the request on its standard input, a sealed file
 * in memory, and prints the answer; no secret is among its arguments or in its environment. What cannot even
 * be asked is said on standard error. Ends when whoever wanted the answer is gone. */

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process-guard.h"
#include "base/text.h"
#include "config.h"
#include "io/http.h"
#include "worker/federation/run.h"

/* Whose answer is being waited for. */
typedef struct Asked {
        sd_event *event;
        FederationRequest request;
        Http *http;
        FederationRun *run;
        char *answer;
} Asked;

static void asked_done(Asked *a) {
        federation_run_free(a->run);
        http_free(a->http);
        federation_request_done(&a->request);
        free(a->answer);
        sd_event_unref(a->event);
}

static void on_end(int r, Federation *federation, Failure *failure, void *userdata) {
        _cleanup_failure_ Failure *f = failure;
        Asked *a = userdata;

        if (r >= 0)
                r = federation_answer_write(federation, f, &a->answer);
        federation_done(federation);
        (void) sd_event_exit(a->event, r < 0 ? r : 0);
}

static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), -EPIPE);
}

/* A pipe tells when its other end was closed; where the answer goes elsewhere nobody can go away. */
static int watch_reader(Asked *a) {
        int r;

        r = sd_event_add_io(a->event, NULL, STDOUT_FILENO, /* events= */ 0, on_reader_gone, a);
        return r == -EPERM ? 0 : r;
}

static int read_request(FederationRequest *ret) {
        _cleanup_secret_ Secret *bytes = NULL;
        int r;

        r = file_read(AT_FDCWD, "/proc/self/fd/0", FEDERATION_REQUEST_MAX, FILE_READ_FOLLOW, &bytes, NULL);
        return r < 0 ? r : federation_request_read(bytes, ret);
}

static int begin(Asked *a) {
        struct iovec proxy = secret_peek(a->request.proxy);
        const HttpTrust trust = {
                .ca = a->request.ca,
                .ca_size = strlen(strempty(a->request.ca)),
                .proxy = proxy.iov_base,
        };
        int r;

        r = sd_event_new(&a->event);
        if (r >= 0)
                r = watch_reader(a);
        if (r >= 0)
                r = http_global_init(WIPE_HEAP ? HTTP_HEAP_ERASES : HTTP_HEAP_PLAIN);
        if (r >= 0)
                r = http_new(a->event, &trust, &a->http);
        if (r >= 0)
                r = federation_run_new(a->http, &a->request, on_end, a, &a->run);
        return r;
}

static int serve(void) {
        _cleanup_(asked_done) Asked a = {};
        int r;

        r = read_request(&a.request);
        if (r < 0)
                return log_error_errno(r, "Cannot read the request, 'pullauthctl federate' makes it: %m");
        r = begin(&a);
        if (r >= 0)
                r = sd_event_loop(a.event);
        if (r < 0)
                return log_error_errno(r, "Cannot ask the registry: %m");
        if (dprintf(STDOUT_FILENO, "%s\n", a.answer) < 0)
                return log_error_errno(errno, "Cannot tell the answer: %m");
        return 0;
}

int main(int argc, char *argv[]) {
        int r;

        if (argc == 2 && streq(argv[1], "--version"))
                return dprintf(STDOUT_FILENO, "pullauth-federate %s\n", PROJECT_VERSION) < 0 ? EXIT_FAILURE
                                                                                             : EXIT_SUCCESS;
        if (argc > 1) {
                log_error("pullauth-federate is run by 'pullauthctl federate', see pullauthctl(1)");
                return EXIT_FAILURE;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        /* libcurl's resolver threads would otherwise make heaps of their own. */
        (void) mallopt(M_ARENA_MAX, 1);
        r = process_guard();
        if (r < 0)
                (void) log_error_errno(r, "Cannot keep other processes from my memory: %m");
        else
                r = serve();
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
