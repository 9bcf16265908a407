/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From answers of an API server to failures.
 *
 * Owns two distinctions: a cluster that is not reached or not well may be so again any moment, one that says
 * no waits for people; and a conflict is told by its status (409), for the daemon then looks anew. Names the
 * very right that is missing. */

#include <string.h>

#include "base/text.h"
#include "worker/cluster-failure.h"
#include "worker/http-date.h"
#include "worker/http-failure.h"

/* The server as people know it: what stands in the URL between "://" and the path. */
static int name_server(const ClusterCall *c, char **ret) {
        const char *host = strstr(c->server, "://");

        host = host ? host + strlen("://") : c->server;
        return text_format(ret, "%.*s", (int) strcspn(host, "/?#"), host);
}

static const char *doing(const ClusterCall *c) {
        static const char *const table[_CLUSTER_ACTION_MAX] = {
                [CLUSTER_READ] = "read",
                [CLUSTER_APPLY] = "written",
                [CLUSTER_PATCH] = "written",
                [CLUSTER_REMOVE] = "removed",
        };

        return table[c->action];
}

/* As RBAC has it. */
static const char *verbs(const ClusterCall *c) {
        static const char *const table[_CLUSTER_ACTION_MAX] = {
                [CLUSTER_READ] = "'get'",
                [CLUSTER_APPLY] = "'patch'",
                [CLUSTER_PATCH] = "'patch'",
                [CLUSTER_REMOVE] = "'delete'",
        };

        /* To make one by an apply takes both. */
        return c->action == CLUSTER_APPLY && !c->secret->uid ? "'create' and 'patch'" : table[c->action];
}

static int hint_of_problem(HttpProblem problem, const char *server, Failure *f) {
        switch (problem) {
        case HTTP_RESOLVE:
                return failure_set_hint(f, "Check the name in '%s', and the name servers of this host",
                                        server);
        case HTTP_TLS_UNTRUSTED:
                return failure_set_hint(f, "Name the file with the certificate authority of the cluster in "
                                           "CAFile= of the target, or put it into the kubeconfig");
        case HTTP_TLS_HOST:
                return failure_set_hint(
                        f, "Use an address of the cluster that stands in the certificate of %s", server);
        case HTTP_TLS_DATES:
                return failure_set_hint(f,
                                        "Check the clock of this host first ('timedatectl'), then the dates "
                                        "of the certificate of %s",
                                        server);
        case HTTP_TLS_OTHER:
        case HTTP_CLOSED:
                return failure_set_hint(
                        f,
                        "Check that %s speaks TLS on this port and takes the certificate that "
                        "this host shows, if any",
                        server);
        case HTTP_TOO_LARGE:
                return failure_set_hint(
                        f, "Check that %s is an API server and no proxy answers in its place", server);
        case HTTP_CONNECT:
        case HTTP_TIMEOUT:
        case HTTP_BROKEN:
                return failure_set_hint(f,
                                        "Check that %s is well and that this host may reach it (route, "
                                        "firewall, Proxy=)",
                                        server);
        case HTTP_OK:
        case HTTP_INTERNAL:
        case _HTTP_PROBLEM_MAX:
        case _HTTP_PROBLEM_INVALID:
                break;
        }
        return 0;
}

int cluster_failure_of_problem(const ClusterCall *c, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *server = NULL;
        int r;

        r = name_server(c, &server);
        if (r >= 0)
                r = http_failure_of_problem(a, STEP_PUBLICATION, server, &f);
        if (r >= 0)
                r = hint_of_problem(a->problem, server, f);
        if (r < 0)
                return r;
        f->reason = REASON_TARGET_UNREACHABLE;
        *ret = TAKE_PTR(f);
        return 1;
}

static Reason reason_of_status(int status) {
        if (status == 409)
                return REASON_TARGET_CONFLICT;
        /* 408 and 429 pass. */
        return status >= 300 && status < 500 && status != 408 && status != 429 ? REASON_TARGET_REFUSED
                                                                               : REASON_TARGET_UNREACHABLE;
}

static int hint_of_status(const ClusterCall *c, int status, const char *server, Failure *f) {
        switch (status) {
        case 401:
                return failure_set_hint(f,
                                        "Check TokenFile=, ClientCertificateFile= or the kubeconfig of the "
                                        "target: %s does not take what this host shows, or not any more",
                                        server);
        case 403:
                return failure_set_hint(f,
                                        "Let this host %s 'secrets' in the namespace '%s', by a Role and a "
                                        "RoleBinding as in pullauth.target(5)",
                                        verbs(c), c->namespace);
        case 404:
                return failure_set_hint(
                        f, "Check Namespace= ('%s') of the target, and that %s is an API server",
                        c->namespace, server);
        case 409:
                return failure_set_hint(
                        f,
                        "See who else manages the Secret ('kubectl get secret -n %s %s -o yaml "
                        "--show-managed-fields'), or give the target another Secret=",
                        c->namespace, c->secret->name);
        case 413:
        case 422:
                return failure_set_hint(
                        f,
                        "Look at the Secret ('kubectl describe secret -n %s %s'): one that is "
                        "immutable or of another type has to be removed first",
                        c->namespace, c->secret->name);
        }
        if (reason_of_status(status) == REASON_TARGET_REFUSED)
                return failure_set_hint(f, "Check that %s is the address of an API server", server);
        return failure_set_hint(f, "Check that the cluster behind %s is well; it is tried again", server);
}

int cluster_failure_of_status(const ClusterCall *c, const HttpAnswer *a, Failure **ret) {
        const Secret *const sent[] = { c->asker, c->secret->data };
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *server = NULL;
        _cleanup_(words_done) Words w = {};
        int r;

        r = name_server(c, &server);
        if (r >= 0)
                r = words_read(a, sent, ELEMENTSOF(sent), &w);
        if (r >= 0)
                r = failure_new(&f, STEP_PUBLICATION, reason_of_status(a->status),
                                "The Secret '%s' in the namespace '%s' cannot be %s: %s says %i%s",
                                c->secret->name, c->namespace, doing(c), server, a->status,
                                a->status == 409 ? ", for somebody else has it or changed it" : "");
        if (r >= 0)
                r = hint_of_status(c, a->status, server, f);
        if (r >= 0)
                r = http_failure_complete(f, a, &w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 1;
}

int cluster_failure_of_body(const ClusterCall *c, const HttpAnswer *a, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        _cleanup_free_ char *server = NULL;
        int r;

        r = name_server(c, &server);
        if (r >= 0)
                r = failure_new(&f, STEP_PUBLICATION, REASON_TARGET_UNREACHABLE,
                                "%s answered with success, but with no Secret", server);
        if (r >= 0)
                r = failure_set_hint(f, "Check that %s is an API server and no proxy answers in its place",
                                     server);
        if (r < 0)
                return r;
        f->http_status = a->status;
        *ret = TAKE_PTR(f);
        return 1;
}
