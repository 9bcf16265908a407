/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call FetchJWTSVID of the SPIFFE Workload API, as bytes; and the ways in which it fails, as reasons.
 *
 * Owns the sentences about agents. An agent that is away or starting is "failed" and soon asked again; one
 * that says no to this workload is "refused", for that is put right at the SPIRE server. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "codec/grpc.h"
#include "codec/protobuf.h"
#include "worker/spiffe-answer.h"
#include "worker/spiffe-svid.h"

#define FIELD_AUDIENCE 1
#define FIELD_SPIFFE_ID 2

typedef struct StatusRow {
        Reason reason;
        const char *says; /* behind "The SPIFFE agent" */
        const char *hint; /* NULL: the reason's */
} StatusRow;

static const char entry_hint[] =
        "Register an entry whose selectors fit the worker of this service, for example "
        "systemd:id:pullauth-worker.service, and whose parent is this host's agent";
static const char busy_hint[] = "Nothing, if the agent is starting; else see its log";
static const char report_hint[] = "See the log of the agent";

static const StatusRow status_rows[_GRPC_STATUS_MAX] = {
        [GRPC_OK] = { REASON_INTERNAL, "is well", NULL },
        [GRPC_CANCELLED] = { REASON_IDENTITY_SOURCE_FAILED, "gave the request up", busy_hint },
        [GRPC_UNKNOWN] = { REASON_IDENTITY_SOURCE_FAILED, "failed and does not say why", report_hint },
        [GRPC_INVALID_ARGUMENT] = { REASON_IDENTITY_SOURCE_REFUSED, "does not take the request",
                                    "Check SPIFFEID= and Audience= of the identity" },
        [GRPC_DEADLINE_EXCEEDED] = { REASON_IDENTITY_SOURCE_FAILED, "ran out of time", busy_hint },
        [GRPC_NOT_FOUND] = { REASON_IDENTITY_SOURCE_REFUSED, "does not find what was asked for",
                             entry_hint },
        [GRPC_ALREADY_EXISTS] = { REASON_IDENTITY_SOURCE_FAILED, "failed in a way that makes no sense",
                                  report_hint },
        [GRPC_PERMISSION_DENIED] = { REASON_IDENTITY_SOURCE_REFUSED,
                                     "has no identity for this host's worker", entry_hint },
        [GRPC_RESOURCE_EXHAUSTED] = { REASON_IDENTITY_SOURCE_FAILED, "is asked too often",
                                      "See rate limits in the agent's configuration" },
        [GRPC_FAILED_PRECONDITION] = { REASON_IDENTITY_SOURCE_FAILED, "is not in a state to answer",
                                       busy_hint },
        [GRPC_ABORTED] = { REASON_IDENTITY_SOURCE_FAILED, "broke the request off", busy_hint },
        [GRPC_OUT_OF_RANGE] = { REASON_IDENTITY_SOURCE_REFUSED, "does not take the request", report_hint },
        [GRPC_UNIMPLEMENTED] = { REASON_IDENTITY_SOURCE_REFUSED, "is none: it knows no Workload API",
                                 "Check that Socket= is the socket_path of a SPIRE agent, not its admin "
                                 "socket and not that of the server" },
        [GRPC_INTERNAL] = { REASON_IDENTITY_SOURCE_FAILED, "failed", report_hint },
        [GRPC_UNAVAILABLE] = { REASON_IDENTITY_SOURCE_FAILED, "is not available", busy_hint },
        [GRPC_DATA_LOSS] = { REASON_IDENTITY_SOURCE_FAILED, "lost its data", report_hint },
        [GRPC_UNAUTHENTICATED] = { REASON_IDENTITY_SOURCE_REFUSED, "does not know who asks", entry_hint },
};

int spiffe_request(const SpiffeWish *w, void **ret, size_t *ret_size) {
        size_t audience_size = strlen(w->audience), id_size = strlen(strempty(w->spiffe_id)), size, n;
        uint8_t *body;

        size = protobuf_put(NULL, FIELD_AUDIENCE, w->audience, audience_size);
        if (w->spiffe_id)
                size += protobuf_put(NULL, FIELD_SPIFFE_ID, w->spiffe_id, id_size);
        body = malloc(GRPC_PREFIX_SIZE + size);
        if (!body)
                return -ENOMEM;
        grpc_prefix(body, (uint32_t) size);
        n = GRPC_PREFIX_SIZE +
            protobuf_put(body + GRPC_PREFIX_SIZE, FIELD_AUDIENCE, w->audience, audience_size);
        if (w->spiffe_id)
                (void) protobuf_put(body + n, FIELD_SPIFFE_ID, w->spiffe_id, id_size);
        *ret = body;
        *ret_size = GRPC_PREFIX_SIZE + size;
        return 0;
}

static int complain_connect(const SpiffeWish *w, int error, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                        "No SPIFFE agent can be reached at %s%s%s", w->socket, error ? ": " : "",
                        error ? strempty(strerrordesc_np(error)) : "");
        if (r < 0)
                return r;
        if (error == EACCES || error == EPERM)
                return failure_set_hint(*reterr, "Let everybody connect to the socket, and pass the "
                                                 "directories above it, as SPIRE has it by default");
        return failure_set_hint(*reterr, "Check that the agent runs and that Socket= is its socket_path; it "
                                         "must not be below /tmp, of which this service has its own");
}

/* No answer came. */
static int complain_problem(const SpiffeWish *w, const HttpAnswer *a, Failure **reterr) {
        char span[SPAN_MAX];
        int r;

        switch (a->problem) {
        case HTTP_CONNECT:
                return complain_connect(w, a->connect_error, reterr);
        case HTTP_TIMEOUT:
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                "The SPIFFE agent at %s gave no whole answer within %s", w->socket,
                                format_span(span, w->timeout));
                return r < 0 ? r : failure_set_hint(*reterr, "%s", report_hint);
        case HTTP_TOO_LARGE:
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                "The answer of the SPIFFE agent at %s is larger than any that makes sense",
                                w->socket);
                return r < 0 ? r : failure_set_hint(*reterr, "%s", report_hint);
        case HTTP_CLOSED:
        case HTTP_BROKEN:
                r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                                "The SPIFFE agent at %s ended the connection within its answer, or what is "
                                "there speaks no gRPC",
                                w->socket);
                if (r >= 0 && a->problem_text)
                        r = failure_set_words(*reterr, a->problem_text, strlen(a->problem_text));
                return r < 0 ? r
                             : failure_set_hint(*reterr,
                                                "Nothing, if the agent is starting; else check that "
                                                "Socket= is the socket_path of a SPIFFE agent");
        case HTTP_OK:
        case HTTP_RESOLVE:
        case HTTP_TLS_UNTRUSTED:
        case HTTP_TLS_HOST:
        case HTTP_TLS_DATES:
        case HTTP_TLS_OTHER:
        case HTTP_INTERNAL:
        case _HTTP_PROBLEM_MAX:
        case _HTTP_PROBLEM_INVALID:
                break;
        }
        r = failure_new(reterr, STEP_IDENTITY, REASON_INTERNAL, "The SPIFFE agent at %s could not be asked",
                        w->socket);
        if (r >= 0 && a->problem_text)
                r = failure_set_words(*reterr, a->problem_text, strlen(a->problem_text));
        return r;
}

/* An answer of HTTP that is none of gRPC. */
static int complain_protocol(const SpiffeWish *w, const HttpAnswer *a, const char *why, Failure **reterr) {
        int r;

        r = failure_new(reterr, STEP_IDENTITY, REASON_IDENTITY_SOURCE_FAILED,
                        "What listens at %s is no SPIFFE agent, or a broken one: %s", w->socket, why);
        if (r < 0)
                return r;
        (*reterr)->http_status = a->status;
        return failure_set_hint(*reterr, "Check that Socket= is the socket_path of the agent");
}

static int complain_status(const HttpAnswer *a, GrpcStatus status, Failure **reterr) {
        const StatusRow *row = status_rows + status;
        _cleanup_free_ char *words = NULL;
        int r;

        r = failure_new(reterr, STEP_IDENTITY, row->reason, "The SPIFFE agent %s (status %d of gRPC)",
                        row->says, (int) status);
        if (r >= 0 && a->grpc_message)
                r = grpc_message_decode(a->grpc_message, &words);
        if (r >= 0 && words)
                r = failure_set_words(*reterr, words, strlen(words));
        if (r >= 0 && row->hint)
                r = failure_set_hint(*reterr, "%s", row->hint);
        return r;
}

static int read_answer(const SpiffeWish *w, const HttpAnswer *a, Secret **ret, Failure **reterr) {
        struct iovec body = secret_peek(a->body);
        GrpcStatus status = grpc_status_parse(a->grpc_status);
        const uint8_t *message;
        size_t size;
        int r;

        if (a->status != 200)
                return complain_protocol(w, a, "its answer has a status of HTTP that gRPC does not use",
                                         reterr);
        if (status < 0)
                return complain_protocol(w, a, "its answer has no status of gRPC", reterr);
        if (status != GRPC_OK)
                return complain_status(a, status, reterr);
        r = grpc_message_find(body.iov_base, body.iov_len, &message, &size);
        if (r == -EOPNOTSUPP)
                return complain_protocol(w, a, "its answer is compressed, which was not asked for", reterr);
        if (r < 0)
                return complain_protocol(w, a, "its answer is not the one message that was asked for",
                                         reterr);
        return spiffe_svid_choose(w, message, size, ret, reterr);
}

int spiffe_answer(const SpiffeWish *w, const HttpAnswer *a, Secret **ret, Failure **reterr) {
        _cleanup_failure_ Failure *f = NULL;
        int r;

        /* Who says no may end the stream before all of the question has come through it. */
        if (a->problem == HTTP_OK || grpc_status_parse(a->grpc_status) > GRPC_OK)
                r = read_answer(w, a, ret, &f);
        else
                r = complain_problem(w, a, &f);
        if (r < 0)
                return r;
        *reterr = TAKE_PTR(f);
        return *reterr ? 1 : 0;
}
