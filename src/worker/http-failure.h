/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every step has to say of an HTTP answer that is not the one it hoped for. Pure but for the clock
 * that a Retry-After date is held against. */

#include "base/failure.h"
#include "io/http.h"
#include "worker/http-words.h"

/* No answer came: a->problem is not HTTP_OK. `server` is "host[:port]". Returns 0 or -ENOMEM. */
int http_failure_of_problem(const HttpAnswer *a, FailureStep step, const char *server, Failure **ret);

/* An answer came whose status means the same whatever was asked: redirection, rate limit, not found,
 * server error, the rest of 4xx. Returns 0 or -ENOMEM. */
int http_failure_of_status(const HttpAnswer *a, FailureStep step, const char *server, const Words *words,
                           Failure **ret);

/* Fills in what any failure with an answer carries: status, the registry's words, Retry-After. */
int http_failure_complete(Failure *f, const HttpAnswer *a, const Words *words);

/* The registry's clock against ours in the middle of the request, in microseconds, positive if it is
 * ahead; exact to about a second. `now_boot_usec` and `now_real_usec` are of the same moment, any time
 * after the answer. Returns 1, or 0 if the answer does not tell. */
int http_skew(const HttpAnswer *a, usec_t now_boot_usec, usec_t now_real_usec, int64_t *ret);
