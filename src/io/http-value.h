/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTP requests and answers as values. */

#include "base/clock.h"
#include "base/macro.h"
#include "base/secret.h"

/* How servers are spoken to. */
typedef enum HttpWay {
        HTTP_WAY_TLS,   /* https and nothing else */
        HTTP_WAY_PLAIN, /* http and nothing else: a service of what this host runs on, which has no TLS */
        HTTP_WAY_GRPC,  /* HTTP/2 from the first byte, through a unix socket: a service of this host */
        _HTTP_WAY_MAX,
} HttpWay;

#define HTTP_SOCKET_MAX 107 /* the kernel's limit for its path */

typedef struct HttpTrust {
        const void *ca; /* PEM that alone is trusted, or NULL for the host's trust store */
        size_t ca_size;
        const char *proxy; /* URL, or NULL for none; never with another way than HTTP_WAY_TLS */
        HttpWay way;
        const char *socket; /* HTTP_WAY_GRPC: its absolute path */
        /* What this host shows of itself in the handshake: PEM, or NULL. */
        const Secret *certificate, *key;
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
        char *grpc_status, *grpc_message; /* also from behind the body */
        int connect_error;                /* errno of a connection that could not be made, 0 if unknown */
        bool reused;                      /* connection of an earlier request, or none at all */
        bool reached;                     /* server or proxy took the connection */
        usec_t started_boot, ended_boot;
        HttpTimings timings;
} HttpAnswer;

typedef struct HttpRequest {
        const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
        const char *url;
        const char *user; /* basic authentication if set */
        const Secret *password;
        /* "aws:amz:REGION:SERVICE": user and password sign the request (SigV4) and are not sent. */
        const char *signature;
        const Secret *bearer;
        char *const *headers; /* "Name: value", or NULL */
        const void *body;     /* request body, copied; NULL for none */
        size_t body_size;
        usec_t connect_timeout; /* 0: 10 s */
        usec_t timeout;         /* 0: 30 s, for the whole request */
        size_t body_max;        /* 0: 64 KiB */
        size_t header_max;      /* 0: 32 KiB, all of them together */
        bool connects;          /* not over a connection that is there already */
} HttpRequest;
