/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a libcurl handle is told before it is started. For io/http alone; handles are `void *` because
 * headers do not name libcurl (CURL is void). */

#include "io/http-value.h"

/* A copy of an HttpTrust that lives as long as the handles that are set up with it. */
typedef struct HttpAnchors {
        HttpWay way;
        char *ca; /* PEM, or NULL for the host's trust store */
        size_t ca_size;
        int ca_fd;    /* the same as a sealed file, made where libcurl takes no bytes; else -EBADF */
        char *proxy;  /* "" for none */
        char *socket; /* HTTP_WAY_GRPC */
        int certificate_fd, key_fd; /* sealed files, for not every TLS library takes bytes; or -EBADF */
} HttpAnchors;

/* Returns 0, -EINVAL for a proxy that is neither http nor https or a socket that is none, -ENOMEM, -EIO. */
int http_anchors_init(HttpAnchors *a, const HttpTrust *trust);
void http_anchors_done(HttpAnchors *a);

/* Policy first, for the trust sets some of it anew. All of these return 0, -EINVAL, -ENOMEM, or -EIO if no
 * file could be made for the certificates. */
int http_setup_policy(void *easy);
int http_setup_trust(void *easy, HttpAnchors *a);

/* What a handle goes on referring to, to be kept until it is gone. */
typedef struct HttpLoans {
        void *url;
        void *headers; /* NULL if there are none */
} HttpLoans;

/* Method, URL, headers, authentication, body, timeouts. -EINVAL for what http_start() refuses. */
int http_setup_request(void *easy, HttpWay way, const HttpRequest *request, HttpLoans *ret);
void http_loans_done(HttpLoans *l);
