/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Draws for the jitter of retries, from the kernel's generator. Owns nothing and never blocks, so that a
 * retry can be planned at any time. It refuses to be a source of keys or names: who needs those calls
 * getrandom(2) and looks at what it says. */

#include <sys/random.h>

#include "base/random.h"

uint64_t random_draw(void) {
        uint64_t random;

        /* Eight bytes come whole or not at all (getrandom(2)). */
        return getrandom(&random, sizeof(random), GRND_NONBLOCK) == (ssize_t) sizeof(random) ? random : 0;
}
