/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTPS requests on sd-event, one libcurl multi handle per Http.
 *
 * An Http stands for one trust configuration: connections are reused among its requests and never beyond
 * it. https only, no redirects, no netrc, no environment proxies, no compression, own caps on headers and
 * body. Knows nothing of tokens or registries. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/secret.h"

typedef struct Http Http;
typedef struct HttpTransfer HttpTransfer;

typedef struct HttpTrust {
        const void *ca; /* PEM that alone is trusted, or NULL for the host's trust store */
        size_t ca_size;
        const char *proxy; /* URL, or NULL for none */
} HttpTrust;

typedef enum HttpProblem {
        HTTP_OK,      /* an answer came, whatever its status */
        HTTP_RESOLVE, /* name resolution */
        HTTP_CONNECT, /* refused, unreachable, proxy */
        HTTP_TIMEOUT,
        HTTP_CLOSED, /* connection ended before an answer */
        HTTP_BROKEN, /* not HTTP, truncated body, bad framing */
        HTTP_TLS_UNTRUSTED,
        HTTP_TLS_HOST,
        HTTP_TLS_DATES,
        HTTP_TLS_OTHER,
        HTTP_TOO_LARGE, /* headers or body beyond the cap */
        HTTP_INTERNAL,  /* out of memory, malformed URL */
        _HTTP_PROBLEM_MAX,
        _HTTP_PROBLEM_INVALID = -EINVAL,
} HttpProblem;

typedef struct HttpTimings { /* from the start of the request; 0 if not reached */
        usec_t resolved, connected, secured, first_byte, total;
} HttpTimings;

typedef struct HttpAnswer {
        HttpProblem problem;
        char *problem_text; /* the library's words, cleaned; NULL if HTTP_OK */
        int status;         /* 0 if none */
        Secret *body;       /* never NULL if HTTP_OK */
        char *content_type; /* NULL if absent; likewise below */
        char *www_authenticate;
        char *retry_after;
        char *date; /* NULL also if an Age header came with it: a cache's date says nothing */
        char *location;
        bool reused; /* connection of an earlier request */
        usec_t started_boot, ended_boot;
        HttpTimings timings;
} HttpAnswer;

typedef struct HttpRequest {
        const char *method; /* "GET", "POST" */
        const char *url;
        const char *user; /* basic authentication if set */
        const Secret *password;
        const Secret *bearer;
        char *const *headers; /* "Name: value", or NULL */
        const void *body;     /* request body, copied; NULL for none */
        size_t body_size;
        usec_t connect_timeout; /* 0: 10 s */
        usec_t timeout;         /* 0: 30 s, for the whole request */
        size_t body_max;        /* 0: 64 KiB */
        size_t header_max;      /* 0: 32 KiB, all of them together */
} HttpRequest;

/* Called exactly once per transfer that is not freed before, never from within http_start(). `answer`
 * belongs to the transfer, which may be freed inside the handler. */
typedef void (*HttpHandler)(HttpTransfer *t, const HttpAnswer *answer, void *userdata);

/* curl_global_init() with erasing allocators; once per process, before the first http_new(). */
int http_global_init(void);

int http_new(sd_event *event, const HttpTrust *trust, Http **ret);
/* Cancels what is under way without calling handlers. The transfers stay their owners' to free. */
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free)

/* Returns 0, -EINVAL for an URL that is not https or carries user info, -ENOMEM. What happens on the
 * network is always told through the handler. */
int http_start(Http *h, const HttpRequest *request, HttpHandler handler, void *userdata, HttpTransfer **ret);
/* Cancels if still under way. Returns NULL. */
HttpTransfer *http_transfer_free(HttpTransfer *t);
DEFINE_CLEANUP(HttpTransfer *, http_transfer_free)
