/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hosts that refresh as pullauthd does, from event to event. Due times and delays come from model/schedule
 * itself; what stands here is what surrounds it: timers that fire late, a registry with an end to its
 * strength, clocks that are wrong.
 *
 * Owns virtual time. Refuses to look at any clock: a seed and a scenario give the same run everywhere. */

#include "model/credential.h"
#include "simulation.h"

#define LIFETIME 3600
#define PERIOD (LIFETIME * USEC_PER_SEC * 65 / 100)
/* As in the daemon: the first attempts after a boot, what a timer may be late, what a changed clock ends. */
#define START_DELAY (8 * USEC_PER_SEC)
#define BOOT_SPREAD (3 * USEC_PER_SEC)
#define LONG_DELAY (20 * USEC_PER_MINUTE)
#define ACCURACY_LONG (1 * USEC_PER_MINUTE)
#define ACCURACY_SHORT (50 * USEC_PER_MSEC)
/* No wait is longer, of the classes that occur here and with what they may owe. */
#define WAIT_MAX (30 * USEC_PER_MINUTE)

/* splitmix64 */
uint64_t simulation_draw(uint64_t *random) {
        uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static usec_t draw_between(Host *h, usec_t low, usec_t high) {
        return low + simulation_draw(&h->random) % (high - low);
}

unsigned simulation_steady(size_t n_hosts) {
        return (unsigned) ((n_hosts * USEC_PER_SEC + PERIOD - 1) / PERIOD);
}

/* --- the queue: what is at its head goes on to a later time, nothing ever comes or leaves --- */

static bool before(const Entry *a, const Entry *b) {
        return a->at != b->at ? a->at < b->at : a->host < b->host;
}

static void sift_down(Simulation *s, size_t at) {
        const Entry moved = s->queue[at];

        for (;;) {
                size_t child = 4 * at + 1, least = child, last = child + 4;

                if (child >= s->n_hosts)
                        break;
                if (last > s->n_hosts)
                        last = s->n_hosts;
                for (size_t i = child + 1; i < last; i++)
                        if (before(s->queue + i, s->queue + least))
                                least = i;
                if (before(&moved, s->queue + least))
                        break;
                s->queue[at] = s->queue[least];
                at = least;
        }
        s->queue[at] = moved;
}

/* --- a host --- */

/* As sd-event does: a timer that may be late fires in the part of a minute that this boot drew, so that the
 * timers of one host fire together and those of many do not. */
static usec_t fires_at(const Host *h, usec_t now, usec_t due) {
        usec_t at;

        if (usec_sub(due, now) < LONG_DELAY)
                return due + ACCURACY_SHORT;
        at = due - due % USEC_PER_MINUTE + h->perturb;
        return at < due ? at + ACCURACY_LONG : at;
}

/* Sets the head of the queue, which is this host, to what comes next. */
static void go_on(Simulation *s, Host *h) {
        usec_t next = h->event_at < h->wait_until ? h->event_at : h->wait_until;

        s->queue[0].at = usec_add(h->on, next);
        sift_down(s, 0);
}

static void check(Simulation *s, bool right) {
        if (!right)
                s->violations++;
}

/* `now` is on the host's boot clock, here and below. */
static void succeed(Simulation *s, Host *h, usec_t asked, usec_t now) {
        /* The registry's time is its own affair: an offset that no host shares. */
        const int64_t issued = 1700000000 + (int64_t) ((h->on + asked) / USEC_PER_SEC);
        const Credential c = { .issued = issued, .expires = issued + LIFETIME, .obtained_boot = asked };
        usec_t due;

        if (h->expires > 0 && now > h->expires) {
                usec_t without = now - h->expires;

                s->without += without;
                s->without_max = without > s->without_max ? without : s->without_max;
                s->n_expired += !h->expired;
                h->expired = true;
        }
        if (h->failure >= 0) {
                s->n_failing--;
                s->recovered = h->on + now;
        }
        s->successes++;
        h->pace = (Pace){};
        h->failure = _FAILURE_CLASS_INVALID;
        h->expires = credential_expires_boot(&c);
        due = schedule_due(h->phase, asked, credential_lifetime(&c), 0);
        h->wait_until = fires_at(h, now, due > now ? due : now);
        check(s, due > asked && due <= h->expires - schedule_minimum_remaining(credential_lifetime(&c), 0));
        check(s, h->wait_until < h->expires);
}

static void fail(Simulation *s, Host *h, FailureClass class, usec_t now) {
        usec_t retry_after = class == FAILURE_RATE_LIMIT ? s->scenario->retry_after : 0;
        usec_t delay = pace_next(&h->pace, class, retry_after, usec_sub(h->expires, now),
                                 simulation_draw(&h->random));

        if (h->failure < 0)
                s->n_failing++;
        s->failures++;
        h->failure = class;
        h->wait_until = fires_at(h, now, now + delay);
        check(s, delay > 0 && delay <= WAIT_MAX);
}

static void count_attempt(Simulation *s, Host *h, usec_t now) {
        unsigned hour = (unsigned) (now / USEC_PER_HOUR);

        h->attempts_hour = hour == h->hour ? h->attempts_hour + 1 : 1;
        h->hour = hour;
        if (h->attempts_hour > s->attempts_hour_max)
                s->attempts_hour_max = h->attempts_hour;
        s->attempts++;
        h->digest = (h->digest ^ now) * UINT64_C(0x100000001b3);
}

/* What the registry says to an attempt that comes now; _FAILURE_CLASS_INVALID: a credential. */
static FailureClass ask_registry(Simulation *s, usec_t at) {
        const Scenario *o = s->scenario;
        size_t second = at / USEC_PER_SEC;

        s->offered[second]++;
        if (o->outage_time > 0 && at >= o->outage_at && at < o->outage_at + o->outage_time) {
                s->refused[second]++;
                return FAILURE_TRANSPORT;
        }
        if (s->capacity > 0 && s->offered[second] - s->refused[second] > s->capacity) {
                s->refused[second]++;
                return o->over;
        }
        return _FAILURE_CLASS_INVALID;
}

static void attempt(Simulation *s, Host *h, usec_t now) {
        FailureClass class;

        count_attempt(s, h, now);
        if (h->clock == CLOCK_CLAIMED)
                class = FAILURE_IDENTITY_UNUSABLE; /* the registry is not asked */
        else if (h->clock == CLOCK_1970) {
                s->handshakes[(h->on + now) / USEC_PER_SEC]++;
                class = FAILURE_CLOCK;
        } else
                class = ask_registry(s, h->on + now);
        if (class >= 0)
                fail(s, h, class, now + draw_between(h, 1 * USEC_PER_MSEC, 20 * USEC_PER_MSEC));
        else
                succeed(s, h, now, now + draw_between(h, 50 * USEC_PER_MSEC, 250 * USEC_PER_MSEC));
}

/* The clock was set: as job_wake() of the daemon. */
static void clock_set(Simulation *s, Host *h, usec_t now) {
        h->clock = CLOCK_RIGHT;
        if (h->failure >= 0 && wait_event_classes(WAIT_EVENT_CLOCK) & 1U << h->failure &&
            h->wait_until > now && pace_may_wake(&h->pace, h->failure, h->wait_until - now))
                attempt(s, h, now);
}

static void step(Simulation *s, Host *h, usec_t now) {
        if (h->event_at > now)
                attempt(s, h, now);
        else {
                h->event_at = USEC_INFINITY;
                if (h->clock != CLOCK_RIGHT)
                        clock_set(s, h, now);
                else
                        attempt(s, h, now);
        }
        go_on(s, h);
}

void simulation_run(Simulation *s) {
        while (s->queue[0].at < s->end) {
                Host *h = s->hosts + s->queue[0].host;

                step(s, h, s->queue[0].at - h->on);
        }
        for (size_t i = 0; i < s->n_hosts; i++)
                check(s, s->hosts[i].expires > s->end - s->hosts[i].on);
}

/* Every host draws from a generator of its own, and the same things whatever the scenario: what happens to
 * others changes nothing of it. */
static void init_host(Simulation *s, size_t number, uint64_t seed) {
        Host *h = s->hosts + number;
        uint8_t id[16], salt[16];
        usec_t reissue, set;

        *h = (Host){ .random = seed, .event_at = USEC_INFINITY, .failure = _FAILURE_CLASS_INVALID };
        for (size_t i = 0; i < sizeof(id); i++) {
                id[i] = (uint8_t) simulation_draw(&h->random);
                salt[i] = (uint8_t) simulation_draw(&h->random);
        }
        h->phase = schedule_phase(id, salt, sizeof(salt), "registry");
        h->on = draw_between(h, 0, USEC_PER_SEC);
        h->perturb = draw_between(h, 0, USEC_PER_MINUTE);
        h->wait_until = START_DELAY + h->phase % BOOT_SPREAD;
        if (h->on + h->wait_until > s->first_wave_end)
                s->first_wave_end = h->on + h->wait_until;
        reissue = draw_between(h, 0, USEC_PER_SEC);
        set = draw_between(h, 1 * USEC_PER_MINUTE, 6 * USEC_PER_HOUR);
        if (s->scenario->reissue_at > 0)
                h->event_at = s->scenario->reissue_at + reissue - h->on;
        if (s->scenario->wrong_clocks)
                h->clock = simulation_wrong_clock(number);
        if (h->clock == CLOCK_1970 || h->clock == CLOCK_CLAIMED)
                h->event_at = set;
        s->queue[number] = (Entry){ h->on + h->wait_until, (uint32_t) number };
}

Clock simulation_wrong_clock(size_t number) {
        return number % 10 == 0 ? CLOCK_OFF + (Clock) (number / 10 % 3) : CLOCK_RIGHT;
}

int simulation_new(const Scenario *scenario, size_t n_hosts, uint64_t seed, Simulation **ret) {
        _cleanup_(simulation_freep) Simulation *s = NULL;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->scenario = scenario;
        s->n_hosts = n_hosts;
        s->end = scenario->hours * USEC_PER_HOUR;
        s->capacity = scenario->capacity_of * simulation_steady(n_hosts);
        s->n_seconds = scenario->hours * 3600;
        s->hosts = calloc(n_hosts, sizeof(*s->hosts));
        s->queue = calloc(n_hosts, sizeof(*s->queue));
        s->offered = calloc(s->n_seconds, sizeof(*s->offered));
        s->refused = calloc(s->n_seconds, sizeof(*s->refused));
        s->handshakes = calloc(s->n_seconds, sizeof(*s->handshakes));
        if (!s->hosts || !s->queue || !s->offered || !s->refused || !s->handshakes)
                return -ENOMEM;
        for (size_t i = 0; i < n_hosts; i++)
                init_host(s, i, simulation_draw(&seed));
        for (size_t i = n_hosts / 4 + 1; i-- > 0;)
                sift_down(s, i);
        *ret = TAKE_PTR(s);
        return 0;
}

Simulation *simulation_free(Simulation *s) {
        if (!s)
                return NULL;
        free(s->hosts);
        free(s->queue);
        free(s->offered);
        free(s->refused);
        free(s->handshakes);
        free(s);
        return NULL;
}
