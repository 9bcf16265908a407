/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schedule: due times of successes and paces of failures, as arithmetic.
 *
 * Owns the constants (the table of paces; docs/failures.md explains them). Reads no clock, draws no random
 * number, keeps no state but the Pace its caller holds, so that years and fleets can be simulated. */

#include <string.h>

#include "base/hash.h"
#include "model/schedule.h"

typedef struct PaceRow {
        usec_t base;
        usec_t cap;
        bool fast; /* the cap also shrinks with what is left of the standing credential */
} PaceRow;

static const PaceRow pace_table[_FAILURE_CLASS_MAX] = {
        [FAILURE_TRANSPORT] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, true },
        [FAILURE_TLS] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, false },
        [FAILURE_CLOCK] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, false },
        [FAILURE_RATE_LIMIT] = { 30 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, true },
        [FAILURE_REGISTRY] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, true },
        [FAILURE_REJECTED] = { 5 * USEC_PER_MINUTE, 60 * USEC_PER_MINUTE, false },
        [FAILURE_IDENTITY_UNAVAILABLE] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, true },
        [FAILURE_IDENTITY_UNUSABLE] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, false },
        [FAILURE_PUBLISH] = { 1 * USEC_PER_SEC, 60 * USEC_PER_SEC, false },
        [FAILURE_CONFIGURATION] = { 5 * USEC_PER_MINUTE, 60 * USEC_PER_MINUTE, false },
};

#define FAST_CAP_MIN (60 * USEC_PER_SEC)
#define RETRY_AFTER_MIN (1 * USEC_PER_SEC)
#define RETRY_AFTER_MAX (1 * USEC_PER_HOUR)

/* value · fraction / 2^64, for a fraction that is uniform over uint64_t. */
static uint64_t scale(uint64_t value, uint64_t fraction) {
        return (uint64_t) (((__uint128_t) value * fraction) >> 64);
}

/* value · numerator / denominator without overflow. */
static usec_t part(usec_t value, unsigned numerator, unsigned denominator) {
        return (usec_t) ((__uint128_t) value * numerator / denominator);
}

uint64_t schedule_phase(const uint8_t host[static 16], const void *salt, size_t salt_size, const char *job) {
        const HashPart parts[] = {
                { "pullauth-phase", strlen("pullauth-phase") },
                { host, 16 },
                { salt, salt_size },
                { job, strlen(job) },
        };
        uint8_t hash[HASH_SIZE];
        uint64_t phase = 0;

        hash_parts(parts, ELEMENTSOF(parts), hash);
        for (size_t i = 0; i < sizeof(phase); i++)
                phase = phase << 8 | hash[i];
        return phase;
}

usec_t schedule_minimum_remaining(usec_t lifetime, usec_t configured) {
        usec_t most = part(lifetime, 4, 5);
        usec_t wanted = configured > 0 ? configured : lifetime / 3;

        return wanted < most ? wanted : most;
}

usec_t schedule_due(uint64_t phase, usec_t obtained, usec_t lifetime, usec_t minimum_remaining) {
        usec_t latest = usec_sub(lifetime, schedule_minimum_remaining(lifetime, minimum_remaining));
        usec_t period = part(lifetime, 65, 100);
        usec_t end;

        if (latest > part(lifetime, 80, 100))
                latest = part(lifetime, 80, 100);
        /* There must be a grid point in every stretch as long as `latest`, with some room for the
         * lateness of the timer that fires at the point before. */
        if (period > part(latest, 98, 100))
                period = part(latest, 98, 100);
        if (period == 0)
                return usec_add(obtained, 1);
        /* obtained + latest lies at least one period behind 0, so the subtraction cannot wrap. */
        end = usec_add(obtained, latest);
        return end - (end - scale(period, phase)) % period;
}

static usec_t take_debt(Pace *p) {
        usec_t owed = p->owed;

        p->owed = 0;
        return owed;
}

usec_t pace_next(Pace *p, FailureClass class, usec_t retry_after, usec_t remaining, uint64_t random) {
        const PaceRow *row = &pace_table[class];
        unsigned n = p->n[class];
        usec_t cap = row->cap, delay = row->base;

        if (p->n[class] < 1000)
                p->n[class]++;
        if (class == FAILURE_RATE_LIMIT && retry_after > 0) {
                usec_t asked = retry_after < RETRY_AFTER_MIN ? RETRY_AFTER_MIN : retry_after;

                asked = asked > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : asked;
                return take_debt(p) + asked + scale(asked, random);
        }
        if (row->fast && remaining > 0) {
                usec_t third = remaining / 3 < FAST_CAP_MIN ? FAST_CAP_MIN : remaining / 3;

                cap = third < cap ? third : cap;
        }
        for (; n > 0 && delay < cap; n--)
                delay *= 2;
        if (delay > cap)
                delay = cap;
        /* Equal jitter: half is certain, half is drawn. */
        return take_debt(p) + delay / 2 + scale(delay - delay / 2, random);
}

bool pace_may_wake(Pace *p, FailureClass class, usec_t left) {
        usec_t owed = usec_add(p->owed, left);

        if (owed > pace_table[class].cap)
                return false;
        p->owed = owed;
        return true;
}

unsigned pace_failures(const Pace *p) {
        unsigned sum = 0;

        for (size_t i = 0; i < ELEMENTSOF(p->n); i++)
                sum += p->n[i];
        return sum;
}
