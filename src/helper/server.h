/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tools call a registry when they ask a credential helper. Pure. */

#include "base/secret.h"

#define SERVER_MAX 1024

typedef struct Server {
        char *given;    /* as it came, without blanks around it: the answer repeats it */
        char *registry; /* "host[:port]" */
        char *image;    /* "host[:port]/path", or NULL if the registry as a whole is meant */
} Server;

void server_done(Server *s);

/* Reads "quay.example.com", "quay.example.com:8443", "https://quay.example.com/v1/" and the like: a scheme
 * and the paths of the registry's own API mean nothing, any other path is the repository. Whether there can
 * be such a registry is not judged. Returns 0, -ENODATA if there is nothing but blanks, -EINVAL for what is
 * no text of one line, -ENOMEM. */
int server_read(const Secret *input, Server *ret);
