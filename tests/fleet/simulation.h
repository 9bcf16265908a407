/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A fleet of hosts with one job each, and one registry, in virtual time. */

#include "model/schedule.h"

typedef struct Scenario {
        const char *name;
        unsigned hours;       /* how long it lasts */
        usec_t outage_at;     /* connections are refused from here on … */
        usec_t outage_time;   /* … for so long, 0: no outage */
        unsigned capacity_of; /* the registry serves so many times the steady rate, 0: all that come */
        FailureClass over;    /* what those hear that come above it */
        usec_t retry_after;   /* and are told to wait, 0: nothing */
        usec_t reissue_at;    /* all hosts are told to refresh within one second, 0: never */
        bool wrong_clocks;    /* one host in ten has a wrong clock */
} Scenario;

/* What a wrong clock does to a host. Its token's life is counted on the boot clock in all cases. */
typedef enum Clock {
        CLOCK_RIGHT,
        CLOCK_OFF,     /* by hours, and no certificate or token looks too old or too young for it */
        CLOCK_1970,    /* the registry's certificate is not valid yet: class clock, until it is set */
        CLOCK_CLAIMED, /* wrong by days, says it is right: the identity looks expired, until it is set */
} Clock;

typedef struct Host {
        uint64_t random;
        uint64_t phase;
        uint64_t digest;   /* of all its attempts */
        usec_t on;         /* when it was switched on; its boot clock began there */
        usec_t wait_until; /* its timer, on its boot clock */
        usec_t event_at;   /* reissue, or clock set, on its boot clock; USEC_INFINITY: none to come */
        usec_t expires;    /* end of its credential on its boot clock, 0: never had one */
        usec_t perturb;    /* where in a minute sd-event puts timers that may be late */
        Pace pace;
        FailureClass failure; /* of the last attempt, _FAILURE_CLASS_INVALID: none */
        Clock clock;
        unsigned attempts_hour, hour; /* attempts in the hour that is counted at present */
        bool expired;                 /* ran out once */
} Host;

typedef struct Entry {
        usec_t at;
        uint32_t host;
} Entry;

typedef struct Simulation {
        const Scenario *scenario;
        usec_t end;
        unsigned capacity; /* per second, 0: unlimited */
        size_t n_hosts;
        Host *hosts;
        Entry *queue; /* a heap, one entry a host */
        size_t n_seconds;
        unsigned *offered, *refused; /* attempts that reached for the registry, by second */
        unsigned *handshakes;        /* connections that ended before a request, for a wrong clock */
        size_t n_failing;
        /* what came of it */
        uint64_t attempts, successes, failures, violations;
        size_t n_expired;
        usec_t first_wave_end;       /* when the last host made its first attempt */
        usec_t recovered;            /* when the last failing host was served */
        usec_t without, without_max; /* time without a credential after the first one, sum and longest */
        unsigned attempts_hour_max;  /* of one host */
} Simulation;

uint64_t simulation_draw(uint64_t *random);
/* Steady requests a second of so many hosts with tokens of an hour, rounded up. */
unsigned simulation_steady(size_t n_hosts);
/* What the clock of this host is in a scenario of wrong clocks. */
Clock simulation_wrong_clock(size_t number);
int simulation_new(const Scenario *scenario, size_t n_hosts, uint64_t seed, Simulation **ret);
Simulation *simulation_free(Simulation *s);
DEFINE_CLEANUP(Simulation *, simulation_free)
/* Runs it to its end. */
void simulation_run(Simulation *s);
