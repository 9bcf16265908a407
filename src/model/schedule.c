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
        unsigned loans; /* caps that may be owed at a time; none: no event ends these waits */
        bool fast;      /* the cap also shrinks with what is left of the standing credential */
        bool registry;  /* one of the shapes in which a registry can be unwell */
} PaceRow;

static const PaceRow pace_table[_FAILURE_CLASS_MAX] = {
        [FAILURE_TRANSPORT] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, 3, true, true },
        [FAILURE_TLS] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, 3, false, false },
        [FAILURE_CLOCK] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, 3, false, false },
        [FAILURE_RATE_LIMIT] = { 30 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, 0, true, true },
        [FAILURE_REGISTRY] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, 0, true, true },
        [FAILURE_REJECTED] = { 5 * USEC_PER_MINUTE, 60 * USEC_PER_MINUTE, 1, false, false },
        [FAILURE_IDENTITY_UNAVAILABLE] = { 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, 3, true, false },
        [FAILURE_IDENTITY_UNUSABLE] = { 60 * USEC_PER_SEC, 15 * USEC_PER_MINUTE, 3, false, false },
        [FAILURE_PUBLISH] = { 1 * USEC_PER_SEC, 60 * USEC_PER_SEC, 0, false, false },
        [FAILURE_CONFIGURATION] = { 5 * USEC_PER_MINUTE, 60 * USEC_PER_MINUTE, 1, false, false },
};

#define CLASS(c) (1U << FAILURE_##c)

typedef struct WaitEventRow {
        FailureClasses classes;
        usec_t spread;
} WaitEventRow;

static const WaitEventRow wait_event_table[_WAIT_EVENT_MAX] = {
        /* When a site gets its network back, or its power, all its hosts hear of it. */
        [WAIT_EVENT_NETWORK] = { CLASS(TRANSPORT) | CLASS(IDENTITY_UNAVAILABLE), 2 * USEC_PER_SEC },
        [WAIT_EVENT_RESUME] = { CLASS(TRANSPORT) | CLASS(IDENTITY_UNAVAILABLE), 2 * USEC_PER_SEC },
        [WAIT_EVENT_CLOCK] = { CLASS(CLOCK) | CLASS(TLS) | CLASS(IDENTITY_UNUSABLE), 0 },
        /* Whoever writes a token file may write the file of authorities next. */
        [WAIT_EVENT_IDENTITY_FILE] = { CLASS(IDENTITY_UNAVAILABLE) | CLASS(IDENTITY_UNUSABLE) |
                                               CLASS(REJECTED) | CLASS(CLOCK),
                                       50 * USEC_PER_MSEC },
        [WAIT_EVENT_CA_FILE] = { CLASS(TLS) | CLASS(CLOCK) | CLASS(CONFIGURATION), 50 * USEC_PER_MSEC },
};

/* Near the end of a credential its host tries more often. Twice before the end is enough, and all that a
 * registry can bear when it comes back: docs/fleet.md. */
#define FAST_CAP_PART 2
#define FAST_CAP_MIN (120 * USEC_PER_SEC)
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

static usec_t clamp(usec_t value, usec_t low, usec_t high) {
        return value < low ? low : value > high ? high : value;
}

static usec_t take_debt(Pace *p) {
        usec_t owed = p->owed;

        p->owed = 0;
        return owed;
}

static usec_t doubled(usec_t base, unsigned times, usec_t cap) {
        for (; times > 0 && base < cap; times--)
                base *= 2;
        return base < cap ? base : cap;
}

/* The wait for the failure number `n` of its class (the first is 0), before jitter. */
static usec_t nominal_delay(const Pace *p, const PaceRow *row, unsigned n, usec_t remaining) {
        usec_t cap = row->cap, delay;

        if (row->fast && remaining > 0)
                cap = clamp(remaining / FAST_CAP_PART, FAST_CAP_MIN, cap);
        delay = doubled(row->base, n, cap);
        /* A registry that first cannot be reached, and then is too busy, is one that is not well: whoever
         * waited for it goes on where he was although it says so in another way. */
        if (row->registry && delay < 2 * p->registry)
                delay = 2 * p->registry;
        return delay < cap ? delay : cap;
}

/* What the registry asked for; and of one that asks for too little again and again, more each time. */
static usec_t asked_delay(const PaceRow *row, unsigned n, usec_t retry_after) {
        return clamp(retry_after, doubled(RETRY_AFTER_MIN, n, row->cap), RETRY_AFTER_MAX);
}

usec_t pace_next(Pace *p, FailureClass class, usec_t retry_after, usec_t remaining, uint64_t random) {
        const PaceRow *row = &pace_table[class];
        unsigned n = p->n[class];
        usec_t delay, drawn;

        if (n < 1000)
                p->n[class]++;
        if (class == FAILURE_RATE_LIMIT && retry_after > 0) {
                delay = asked_delay(row, n, retry_after);
                return take_debt(p) + delay + scale(delay, random);
        }
        delay = nominal_delay(p, row, n, remaining);
        if (row->registry)
                p->registry = delay;
        /* Equal jitter: half is certain, half is drawn. */
        drawn = delay / 2 + scale(delay - delay / 2, random);
        p->spared = delay - drawn;
        return take_debt(p) + drawn;
}

FailureClasses wait_event_classes(WaitEvent e) {
        return wait_event_table[e].classes;
}

usec_t wait_event_spread(WaitEvent e) {
        return wait_event_table[e].spread;
}

bool pace_may_wake(Pace *p, FailureClass class, usec_t left) {
        const PaceRow *row = &pace_table[class];
        usec_t owed = usec_add(usec_add(p->owed, p->spared), left);

        if (owed > row->loans * row->cap)
                return false;
        p->owed = owed;
        p->spared = 0;
        return true;
}

unsigned pace_failures(const Pace *p) {
        unsigned sum = 0;

        for (size_t i = 0; i < ELEMENTSOF(p->n); i++)
                sum += p->n[i];
        return sum;
}
