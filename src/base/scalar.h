/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strict parsing and printing of single values. Everything is either taken whole or refused:
 * no leading or trailing blanks, no silent default. All return 0 or -EINVAL (form), -ERANGE (range). */

#include "base/clock.h"
#include "base/macro.h"

/* "1", "yes", "true", "on" / "0", "no", "false", "off", any case (systemd.syntax(7)).
 * Returns 1, 0, or -EINVAL. */
int parse_bool(const char *s);
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int parse_mode(const char *s, mode_t *ret); /* octal, <= 07777 */

/* Time spans as systemd.time(7): sums of "NUMBER[UNIT]" with optional blanks between; units us, ms, s,
 * sec, second(s), m, min, minute(s), h, hr, hour(s), d, day(s), w, week(s); a bare number is seconds; no
 * fractions, no sign. "infinity" gives USEC_INFINITY. */
int parse_span(const char *s, usec_t *ret);

/* "42s", "12min 3s", "1h 5min", "3d 4h": the two largest units at most; 0 is "0s"; anything below a
 * second is "0s" too, USEC_INFINITY is "infinity". `buf` of SPAN_MAX bytes; returns buf. */
#define SPAN_MAX 64
char *format_span(char buf[static SPAN_MAX], usec_t span);

/* "Mon 2026-11-23 21:00:57 UTC" in local time (as systemctl shows it); 0 and USEC_INFINITY give "n/a". */
#define TIMESTAMP_MAX 64
char *format_timestamp(char buf[static TIMESTAMP_MAX], usec_t realtime);
