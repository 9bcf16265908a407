/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Random input for properties. The generator is seeded by the test with a constant: what fails once fails
 * again. */

#include "unit.h"

typedef struct Draw {
        uint64_t state;
} Draw;

/* splitmix64: an addition and three mixes a draw, and no seed is a bad one. */
static inline uint64_t draw(Draw *d) {
        uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

/* 0 … n - 1 */
static inline uint64_t draw_below(Draw *d, uint64_t n) {
        return draw(d) % n;
}

/* As many small numbers as large ones. */
static inline uint64_t draw_any_size(Draw *d) {
        return draw(d) >> draw_below(d, 64);
}
