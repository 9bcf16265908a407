/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Complaints of this tool, each on a line of its own.
 *
 * What was printed before goes out first, so that the two streams stand in order where they meet. Cleans
 * nothing: what comes from outside is clean when it gets here. */

#include <stdarg.h>
#include <stdio.h>

#include "ctl/complain.h"

void complain(const char *format, ...) {
        va_list ap;

        (void) fflush(stdout);
        fputs("pullauthctl: ", stderr);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
}
