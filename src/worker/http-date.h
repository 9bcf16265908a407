/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Times in HTTP header fields (RFC 9110 sections 5.6.7 and 10.2.3). Pure. */

#include "base/clock.h"

/* The longest wait that anybody may ask of us; what is absurd is cut to it. */
#define RETRY_AFTER_MAX USEC_PER_DAY

/* One of the three forms of an HTTP date, to microseconds since 1970. Returns 0 or -EINVAL. */
int http_date_parse(const char *s, usec_t *ret);

/* "120", or a date that is compared with `now` (the server's own clock if it is known, in real time).
 * Returns how long to wait, at least a second, at most RETRY_AFTER_MAX; 0 if `s` is NULL or makes no
 * sense. */
usec_t retry_after_parse(const char *s, usec_t now);
