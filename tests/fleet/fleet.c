/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fleet SCENARIO: runs one scenario and prints what came of it as JSON.
 *
 * With --check it prints the counts alone and fails if a due time lay behind an expiry, a wait was endless
 * or a host was without a credential at the end. */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulation.h"

#define OUTAGE .outage_at = 6 * USEC_PER_HOUR, .outage_time = 25 * USEC_PER_MINUTE

static const Scenario scenarios[] = {
        { .name = "switched-on", .hours = 48 },
        { .name = "switched-on-limited", .hours = 12, .capacity_of = 4, .over = FAILURE_RATE_LIMIT },
        { .name = "outage", .hours = 12, OUTAGE, .capacity_of = 4, .over = FAILURE_RATE_LIMIT },
        { .name = "outage-retry-after",
          .hours = 12,
          OUTAGE,
          .capacity_of = 4,
          .over = FAILURE_RATE_LIMIT,
          .retry_after = 60 * USEC_PER_SEC },
        { .name = "outage-errors", .hours = 12, OUTAGE, .capacity_of = 4, .over = FAILURE_REGISTRY },
        { .name = "clocks", .hours = 48, .wrong_clocks = true },
        { .name = "reissued", .hours = 48, .reissue_at = 6 * USEC_PER_HOUR },
};

static unsigned peak(const unsigned *series, size_t from, size_t to) {
        unsigned most = 0;

        for (size_t i = from; i < to; i++)
                most = series[i] > most ? series[i] : most;
        return most;
}

static void print_peaks(const char *name, const unsigned *series, size_t n, size_t step) {
        printf(",\n \"%s\": [", name);
        for (size_t i = 0; i < n; i += step)
                printf("%s%u", i > 0 ? ", " : "", peak(series, i, i + step));
        printf("]");
}

/* Some seconds hold what was ordered from outside, as the switching on: how the fleet goes on from there is
 * what counts. */
static void leave_out(unsigned *series, usec_t from, usec_t to) {
        for (size_t i = from / USEC_PER_SEC; i <= to / USEC_PER_SEC; i++)
                series[i] = 0;
}

/* A fleet spread as well as chance can: as many requests as the steady rate makes, each at any time. */
static unsigned *perfect_fleet(const Simulation *s, uint64_t seed) {
        uint64_t n = (uint64_t) s->n_hosts * s->n_seconds * 100 / (65 * 3600);
        unsigned *series = calloc(s->n_seconds, sizeof(*series));

        if (series)
                for (uint64_t i = 0; i < n; i++)
                        series[simulation_draw(&seed) % s->n_seconds]++;
        return series;
}

/* Two digests of attempts: of hosts that have a right clock in all scenarios, and of those that are off by
 * hours in one. */
static void print_digests(const Simulation *s) {
        uint64_t right = 0, off = 0;

        for (size_t i = 0; i < s->n_hosts; i++)
                if (simulation_wrong_clock(i) == CLOCK_RIGHT)
                        right = right * 31 + s->hosts[i].digest;
                else if (simulation_wrong_clock(i) == CLOCK_OFF)
                        off = off * 31 + s->hosts[i].digest;
        printf(",\n \"digest_right\": \"%016" PRIx64 "\", \"digest_off\": \"%016" PRIx64 "\"", right, off);
}

static void print_counts(const Simulation *s) {
        printf("{\"scenario\": \"%s\", \"hosts\": %zu, \"hours_n\": %u, \"capacity\": %u, \"steady\": %u",
               s->scenario->name, s->n_hosts, s->scenario->hours, s->capacity,
               simulation_steady(s->n_hosts));
        printf(",\n \"outage_at\": %" PRIu64 ", \"outage_end\": %" PRIu64 ", \"reissue_at\": %" PRIu64,
               s->scenario->outage_at / USEC_PER_SEC,
               (s->scenario->outage_at + s->scenario->outage_time) / USEC_PER_SEC,
               s->scenario->reissue_at / USEC_PER_SEC);
        printf(",\n \"attempts\": %" PRIu64 ", \"successes\": %" PRIu64 ", \"failures\": %" PRIu64
               ", \"violations\": %" PRIu64,
               s->attempts, s->successes, s->failures, s->violations);
        printf(",\n \"expired\": %zu, \"failing_at_end\": %zu, \"attempts_hour_max\": %u", s->n_expired,
               s->n_failing, s->attempts_hour_max);
        printf(",\n \"first_wave_end\": %" PRIu64 ".%06" PRIu64 ", \"recovered\": %" PRIu64
               ", \"without_mean\": %" PRIu64 ", \"without_max\": %" PRIu64,
               s->first_wave_end / USEC_PER_SEC, s->first_wave_end % USEC_PER_SEC,
               s->recovered / USEC_PER_SEC, s->n_expired > 0 ? s->without / s->n_expired / USEC_PER_SEC : 0,
               s->without_max / USEC_PER_SEC);
}

static int print_series(Simulation *s, uint64_t seed) {
        size_t n = s->n_seconds, out = (s->scenario->outage_at + s->scenario->outage_time) / USEC_PER_SEC;
        _cleanup_free_ unsigned *floor = perfect_fleet(s, seed);

        if (!floor)
                return -ENOMEM;
        print_digests(s);
        printf(",\n \"first_wave_peak\": %u", peak(s->offered, 0, s->first_wave_end / USEC_PER_SEC + 1));
        leave_out(s->offered, 0, s->first_wave_end);
        leave_out(s->handshakes, 0, s->first_wave_end);
        if (s->scenario->reissue_at > 0) {
                usec_t at = s->scenario->reissue_at;

                printf(", \"reissue_peak\": %u", s->offered[at / USEC_PER_SEC]);
                leave_out(s->offered, at, at + USEC_PER_SEC - 1);
        }
        print_peaks("offered", s->offered, n, 60);
        print_peaks("refused", s->refused, n, 60);
        if (s->scenario->wrong_clocks)
                print_peaks("handshakes", s->handshakes, n, 60);
        if (out > 0)
                print_peaks("after_outage", s->offered + out, 600, 1);
        print_peaks("hours", s->offered, n, 3600);
        print_peaks("floor_hours", floor, n, 3600);
        printf("}\n");
        return 0;
}

static const Scenario *find_scenario(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++)
                if (strcmp(scenarios[i].name, name) == 0)
                        return scenarios + i;
        return NULL;
}

static int usage(const char *program) {
        fprintf(stderr,
                "%s [--hosts=N] [--seed=N] [--capacity-of=N] [--outage=MINUTES] [--check] SCENARIO\n"
                "Scenarios:",
                program);
        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++)
                fprintf(stderr, " %s", scenarios[i].name);
        fprintf(stderr, "\n");
        return EXIT_FAILURE;
}

static int run(const Scenario *scenario, size_t n_hosts, uint64_t seed, bool check) {
        _cleanup_(simulation_freep) Simulation *s = NULL;
        int r;

        r = simulation_new(scenario, n_hosts, seed, &s);
        if (r < 0)
                return r;
        simulation_run(s);
        print_counts(s);
        if (!check)
                return print_series(s, ~seed);
        printf("}\n");
        return s->violations == 0 ? 0 : -ERANGE;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "hosts", required_argument, NULL, 'n' },
                { "seed", required_argument, NULL, 's' },
                { "capacity-of", required_argument, NULL, 'f' },
                { "outage", required_argument, NULL, 'o' },
                { "check", no_argument, NULL, 'c' },
                {},
        };
        unsigned long n_hosts = 100000, capacity_of = 0, outage = 0;
        uint64_t seed = 1;
        Scenario scenario;
        bool check = false;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                if (c == 'n')
                        n_hosts = strtoul(optarg, NULL, 10);
                else if (c == 's')
                        seed = strtoul(optarg, NULL, 10);
                else if (c == 'f')
                        capacity_of = strtoul(optarg, NULL, 10);
                else if (c == 'o')
                        outage = strtoul(optarg, NULL, 10);
                else if (c == 'c')
                        check = true;
                else
                        return usage(argv[0]);
        if (optind != argc - 1 || !find_scenario(argv[optind]) || n_hosts == 0 || n_hosts > 10000000 ||
            outage > 300)
                return usage(argv[0]);
        scenario = *find_scenario(argv[optind]);
        if (capacity_of > 0)
                scenario.capacity_of = (unsigned) capacity_of;
        if (outage > 0 && scenario.outage_time > 0)
                scenario.outage_time = outage * USEC_PER_MINUTE;
        return run(&scenario, n_hosts, seed, check) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
