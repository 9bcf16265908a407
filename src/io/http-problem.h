/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a transfer that failed in libcurl means to people. Pure; for io/http alone. */

#include "io/http-value.h"

typedef struct HttpOutcome {
        int code;          /* CURLcode */
        const char *text;  /* libcurl's error buffer, maybe empty */
        bool too_large;    /* one of our caps ended it */
        bool connected;    /* to the server or to the proxy */
        bool secured;      /* the TLS handshake was complete */
        bool answering;    /* a byte of the answer had come */
        bool headers_open; /* the connection ended before the headers did, which is nothing to libcurl */
        int proxy_status;  /* what a proxy said to CONNECT, 0 if not asked */
        bool certificate_dates; /* a certificate of the server's chain is not valid now */
} HttpOutcome;

HttpProblem http_problem(const HttpOutcome *o);

/* The library's words for people, without paths of its own making. Returns 0 or -ENOMEM. */
int http_problem_text(const HttpOutcome *o, char **ret);

/* Is one of the dates in libcurl's certificate data ("Start Date:2026-11-23 21:00:57 GMT", "Expire
 * Date:…", in any capitals) on the wrong side of `now` (real clock)? What is not such a line is 0. */
bool http_certificate_date_is_off(const char *line, usec_t now);
