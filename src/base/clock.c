/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading the two clocks, and arithmetic on times that saturates instead of wrapping. Pure code takes
 * times as arguments; only the edges (daemon, worker, tools) call now_boot() and now_real(). It refuses
 * to know dates: see base/scalar for printing them. */

#include <time.h>

#include "base/clock.h"

static usec_t now(clockid_t clock) {
        struct timespec t;

        /* Fails for unknown clocks alone, and both are older than any kernel we run on. */
        if (clock_gettime(clock, &t) < 0 || t.tv_sec < 0)
                return 0;
        return (usec_t) t.tv_sec * USEC_PER_SEC + (usec_t) t.tv_nsec / 1000;
}

usec_t now_boot(void) {
        return now(CLOCK_BOOTTIME);
}

usec_t now_real(void) {
        return now(CLOCK_REALTIME);
}

usec_t usec_add(usec_t a, usec_t b) {
        usec_t sum;

        return __builtin_add_overflow(a, b, &sum) ? USEC_INFINITY : sum;
}

usec_t usec_sub(usec_t a, usec_t b) {
        if (a == USEC_INFINITY)
                return USEC_INFINITY;
        return a > b ? a - b : 0;
}
