/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTP requests on sd-event, one libcurl multi handle per Http.
 *
 * An Http stands for one trust configuration: connections are reused among its requests and never beyond
 * it. https only, unless it was made for another way; no redirects, no netrc, no environment proxies, no
 * compression, own caps on headers and body. Knows nothing of tokens or registries. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/secret.h"
#include "io/http-value.h"

typedef struct Http Http;
typedef struct HttpTransfer HttpTransfer;

/* Called exactly once per transfer that is not freed before, never from within http_start(). `answer`
 * belongs to the transfer, which may be freed inside the handler. */
typedef void (*HttpHandler)(HttpTransfer *t, const HttpAnswer *answer, void *userdata);

typedef enum HttpHeap {
        HTTP_HEAP_PLAIN,  /* libcurl gets allocators that erase */
        HTTP_HEAP_ERASES, /* free() and realloc() of this process do, base/wipe-heap is linked in */
} HttpHeap;

/* curl_global_init(); once per process, before the first http_new(). */
int http_global_init(HttpHeap heap);

/* Returns 0, -EINVAL, -ENOMEM, or -EOPNOTSUPP if libcurl was built without what the way needs. */
int http_new(sd_event *event, const HttpTrust *trust, Http **ret);
/* Cancels what is under way without calling handlers. The transfers stay their owners' to free. */
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free)

/* Returns 0, -EINVAL for an URL of another scheme than the way of this Http has, or that carries user info,
 * -ENOMEM. What happens on the network is always told through the handler. */
int http_start(Http *h, const HttpRequest *request, HttpHandler handler, void *userdata, HttpTransfer **ret);
/* Cancels if still under way. Returns NULL. */
HttpTransfer *http_transfer_free(HttpTransfer *t);
DEFINE_CLEANUP(HttpTransfer *, http_transfer_free)
