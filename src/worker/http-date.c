/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dates and waits as servers write them. The process runs in the C locale, so strptime(3) knows the English
 * names that HTTP uses.
 *
 * Refuses to guess: a date with anything behind it is none, and a wait that is no number and no date is
 * not asked for. */

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "worker/http-date.h"

#define DIGITS "0123456789"

int http_date_parse(const char *s, usec_t *ret) {
        /* The first is what everyone sends; RFC 9110 demands to read the other two as well. */
        static const char *const forms[] = {
                "%a, %d %b %Y %H:%M:%S GMT",
                "%A, %d-%b-%y %H:%M:%S GMT",
                "%a %b %e %H:%M:%S %Y",
        };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                struct tm tm = {};
                const char *end = strptime(s, forms[i], &tm);
                time_t t;

                if (!end || *end != '\0')
                        continue;
                t = timegm(&tm);
                if (t < 0)
                        return -EINVAL;
                *ret = (usec_t) t * USEC_PER_SEC;
                return 0;
        }
        return -EINVAL;
}

static usec_t clamp(usec_t t) {
        return t < USEC_PER_SEC ? USEC_PER_SEC : t > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : t;
}

usec_t retry_after_parse(const char *s, usec_t now) {
        usec_t seconds = 0, date;

        if (isempty(s))
                return 0;
        if (s[strspn(s, DIGITS)] != '\0')
                return http_date_parse(s, &date) < 0 ? 0 : clamp(usec_sub(date, now));
        for (; *s; s++)
                if (seconds <= RETRY_AFTER_MAX / USEC_PER_SEC)
                        seconds = 10 * seconds + (usec_t) (*s - '0');
        return clamp(seconds * USEC_PER_SEC);
}
