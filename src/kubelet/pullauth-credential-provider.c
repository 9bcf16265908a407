/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pullauth-credential-provider: the credential of an image, for kubelet.
 *
 * Kubelet runs it for each pull that its cache has nothing for, hands it the full name of the image, and
 * logs what it says on standard error when it fails; then the pull goes on without. So an image that no job
 * covers is an answer, and a job without a credential is a failure: its reason has to be seen, and must not
 * be kept. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory-file.h"
#include "base/process-guard.h"
#include "base/stream.h"
#include "base/text.h"
#include "client/once.h"
#include "config.h"
#include "kubelet/request.h"
#include "kubelet/response.h"

static const char help_text[] =
        "pullauth-credential-provider [OPTION…] <REQUEST\n"
        "\n"
        "Hands credentials of pullauthd to kubelet (credentialprovider.kubelet.k8s.io/v1).\n"
        "\n"
        "  -h --help     Show this text\n"
        "  --version     Show the version\n"
        "\n"
        "See pullauth-credential-provider(1).\n";

static int complain(const char *text) {
        fprintf(stderr, "pullauth-credential-provider: %s\n", text);
        return EXIT_FAILURE;
}

static int complain_errno(int error, const char *what) {
        errno = error < 0 ? -error : error;
        fprintf(stderr, "pullauth-credential-provider: Cannot %s: %m\n", what);
        return EXIT_FAILURE;
}

static int write_response(int r, const Secret *response) {
        if (r >= 0)
                r = stream_write(STDOUT_FILENO, response);
        return r < 0 ? complain_errno(r, "write the answer") : EXIT_SUCCESS;
}

static int answer_nothing(void) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = kubelet_response_write(/* scope= */ NULL, /* entry= */ NULL, /* cache= */ 0, &text);
        return write_response(r, text);
}

static int answer_problem(const BusProblem *problem) {
        _cleanup_free_ char *text = NULL;

        if (problem->error == API_ERROR_NO_SUCH_JOB)
                return answer_nothing();
        return complain(client_once_explain(problem, &text) < 0 ? "Out of memory" : text);
}

static int answer_credential(const Answer *a) {
        _cleanup_(entry_done) Entry entry = {};
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = entry_read(a->credential, a->scope, &entry);
        if (r == -EBADMSG)
                return complain("pullauthd handed out something else than a credential for this image");
        if (r >= 0)
                r = kubelet_response_write(a->scope, &entry, kubelet_cache_span(a->expires, now_real()),
                                           &text);
        return write_response(r, text);
}

static void on_credential(ClientReply *reply, void *userdata) {
        int *status = userdata;

        *status = reply->problem ? answer_problem(reply->problem) : answer_credential(&reply->answer);
}

/* --- the pod's own robot account --- */

typedef struct Pod {
        int status;
        bool elsewhere; /* the robot account has nothing to do with this image */
} Pod;

static void on_pod_credential(ClientReply *reply, void *userdata) {
        Pod *p = userdata;

        p->elsewhere = reply->problem && reply->problem->error == API_ERROR_NO_SUCH_JOB;
        if (!p->elsewhere)
                on_credential(reply, &p->status);
}

/* Returns 1 if all is said, 0 if the image is none of this robot account's, or a negative errno. */
static int serve_pod(const KubeletRequest *q, int *ret_status) {
        struct iovec token = secret_peek(q->token);
        Pod pod = { .status = EXIT_FAILURE };
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!q->robot || !q->token)
                return 0;
        r = memory_file_new("pullauth-token", token.iov_base, token.iov_len, &fd);
        if (r >= 0)
                r = client_once(METHOD_EXCHANGE_TOKEN,
                                &(ClientArguments){ .name = q->image, .robot = q->robot, .fd = fd },
                                on_pod_credential, &pod);
        if (r < 0 || pod.elsewhere)
                return r < 0 ? r : 0;
        *ret_status = pod.status;
        return 1;
}

static int serve(void) {
        _cleanup_(kubelet_request_done) KubeletRequest request = {};
        _cleanup_secret_ Secret *bytes = NULL;
        int status = EXIT_FAILURE, r;
        const char *wrong;

        r = stream_read(STDIN_FILENO, KUBELET_REQUEST_MAX, &bytes);
        if (r < 0)
                return complain_errno(r, "read the request");
        r = kubelet_request_read(bytes, &request, &wrong);
        if (r == -EBADMSG)
                return complain(wrong);
        if (r >= 0)
                r = serve_pod(&request, &status);
        if (r == 0)
                r = client_once(METHOD_GET_CREDENTIAL_FOR_IMAGE, &(ClientArguments){ .name = request.image },
                                on_credential, &status);
        return r < 0 ? complain_errno(r, "ask pullauthd") : status;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                {},
        };
        int c;

        c = getopt_long(argc, argv, "h", options, NULL);
        if (c == 'h')
                return dprintf(STDOUT_FILENO, "%s", help_text) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (c == 'v')
                return dprintf(STDOUT_FILENO, "pullauth-credential-provider %s\n", PROJECT_VERSION) < 0
                               ? EXIT_FAILURE
                               : EXIT_SUCCESS;
        if (c >= 0 || optind < argc)
                return complain("It takes no arguments, kubelet's request is its standard input");
        (void) signal(SIGPIPE, SIG_IGN);
        /* A kernel without it is no reason to leave the pull without a credential. */
        (void) process_guard();
        return serve();
}
