/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What it means for an identity that the service which gives it did not: reasons and hints of the identity
 * step, for every source that asks over HTTP. Pure. */

#include "base/failure.h"
#include "io/http.h"

/* No answer came: a->problem is not HTTP_OK. `server` is "host[:port]", or the path of a socket. Returns 0
 * or -ENOMEM. */
int source_failure_of_problem(const HttpAnswer *a, const char *server, Failure **ret);

/* An answer came, and its status is not that of success: the service refuses (it knows who asked, and says
 * no), asks to wait, or is not well. Its own words are added unless they repeat a piece of a secret in
 * `secrets`, which is all that was sent. Returns 0 or -ENOMEM. */
int source_failure_of_status(const HttpAnswer *a, const char *server, const Secret *const *secrets,
                             size_t n_secrets, Failure **ret);

/* Success by its status, but the body is not what it should be: `what` ends the sentence "SERVER answered
 * with success, but …". Returns 0 or -ENOMEM. */
int source_failure_of_body(const HttpAnswer *a, const char *server, const char *what, Failure **ret);
