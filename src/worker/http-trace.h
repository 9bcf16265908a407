/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way to a server as steps of a trace: name resolution, connection, TLS. Pure. */

#include "io/http-value.h"
#include "model/trace.h"

/* `server` is "host[:port]". What lies behind the place where it ended is not added. Returns 0 or
 * -ENOMEM. */
int http_trace(Trace *t, const HttpAnswer *a, const char *server);
