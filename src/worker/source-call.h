/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One HTTP request of a source of identities: bounded in time and size, trusting what the identity says and
 * not what the job says of its registry. */

#include "io/http.h"
#include "worker/identity/source.h"

typedef struct SourceCall SourceCall;

/* Called exactly once unless the call is freed before, never from within source_call_start(). `r` is 0 with
 * `answer`, of whatever status, which belongs to the call; 1 with `failure`, the handler's to keep; or a
 * negative errno. The call may be freed inside the handler. */
typedef void (*SourceCallHandler)(int r, const HttpAnswer *answer, Failure *failure, void *userdata);

/* What CAFile= and Proxy= of the identity say. */
HttpTrust source_call_trust(const SourceQuestion *q);

/* Without a timeout of its own the request has what is left of the question's. Returns 0; -EINVAL for an
 * address that cannot be one, or not with this scheme; -ENOMEM. */
int source_call_start(const SourceQuestion *q, const HttpTrust *trust, const HttpRequest *request,
                      SourceCallHandler handler, void *userdata, SourceCall **ret);
/* Cancels if still under way. Returns NULL. */
SourceCall *source_call_free(SourceCall *c);
DEFINE_CLEANUP(SourceCall *, source_call_free)

/* Who is asked, for messages: "host[:port]", or the path of a socket. */
const char *source_call_server(const SourceCall *c);
