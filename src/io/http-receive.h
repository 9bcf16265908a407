/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking in an answer: header lines and body bytes, each within its cap. Pure; for io/http alone. */

#include "io/http-value.h"

typedef struct HttpReceive {
        HttpAnswer *answer; /* filled here: header fields and body */
        size_t header_max, body_max;
        size_t header_size; /* of all header lines so far, those of earlier status lines included */
        size_t body_size;
        bool in_headers; /* between a status line and the empty line */
        bool aged;       /* the answer comes out of a cache */
        bool too_large;
        bool out_of_memory;
} HttpReceive;

/* As libcurl's callbacks: return `size`, or 0 to end the transfer. */
size_t http_receive_header(HttpReceive *r, const char *line, size_t size);
size_t http_receive_body(HttpReceive *r, const char *data, size_t size);

/* Makes the body exactly as long as what came. Returns 0 or -ENOMEM. */
int http_receive_end(HttpReceive *r);

/* Forgets and erases what was taken in. */
void http_answer_clear(HttpAnswer *a);
