/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The paces of failures, in virtual time: how they grow, what events can do to them, how many attempts an
 * hour can see at the very worst, and that docs/failures.md says so. */

#include "draw.h"

#include "base/text.h"
#include "model/schedule.h"

#define HOURS 8
#define ATTEMPTS_MAX 10000

/* The other draws: 0 makes each wait as short as it can be. */
#define LONGEST UINT64_MAX

static void paces_double_to_their_cap(void **state) {
        static const struct {
                FailureClass class;
                usec_t base, cap;
        } rows[] = {
                { FAILURE_TRANSPORT, 5, 300 },
                { FAILURE_TLS, 60, 900 },
                { FAILURE_CLOCK, 60, 900 },
                { FAILURE_RATE_LIMIT, 30, 300 },
                { FAILURE_REGISTRY, 5, 300 },
                { FAILURE_REJECTED, 300, 3600 },
                { FAILURE_IDENTITY_UNAVAILABLE, 5, 300 },
                { FAILURE_IDENTITY_UNUSABLE, 60, 900 },
                { FAILURE_PUBLISH, 1, 60 },
                { FAILURE_CONFIGURATION, 300, 3600 },
        };
        Draw d = { 1 };

        assert_int_equal(ELEMENTSOF(rows), _FAILURE_CLASS_MAX);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t expected = rows[i].base;
                Pace pace = {};

                for (unsigned n = 0; n < 40; n++) {
                        usec_t delay = pace_next(&pace, rows[i].class, 0, 0, draw(&d)) / USEC_PER_MSEC;

                        assert_in_range(delay, expected * 1000 / 2, expected * 1000);
                        expected = expected * 2 > rows[i].cap ? rows[i].cap : expected * 2;
                }
                assert_int_equal(pace_failures(&pace), 40);
        }
}

static void a_credential_near_its_end_shortens_fast_paces(void **state) {
        Pace pace = { .n = { [FAILURE_TRANSPORT] = 20, [FAILURE_REJECTED] = 20 } };

        assert_in_range(pace_next(&pace, FAILURE_TRANSPORT, 0, 6 * USEC_PER_MINUTE, LONGEST),
                        179 * USEC_PER_SEC, 180 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_TRANSPORT, 0, 10 * USEC_PER_SEC, LONGEST),
                        119 * USEC_PER_SEC, 120 * USEC_PER_SEC);
        assert_true(pace_next(&pace, FAILURE_REJECTED, 0, 10 * USEC_PER_SEC, LONGEST) >
                    59 * USEC_PER_MINUTE);
        /* And only then. */
        assert_in_range(pace_next(&pace, FAILURE_TRANSPORT, 0, 0, LONGEST), 299 * USEC_PER_SEC,
                        300 * USEC_PER_SEC);
}

static void retry_after_is_obeyed_within_bounds(void **state) {
        Pace pace = {};

        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_SEC, 0, 0), 90 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_SEC, 0, LONGEST),
                        179 * USEC_PER_SEC, 180 * USEC_PER_SEC);
        pace = (Pace){};
        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 1, 0, 0), USEC_PER_SEC);
        assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, 90 * USEC_PER_DAY, 0, 0), USEC_PER_HOUR);
        assert_true(pace_next(&pace, FAILURE_TRANSPORT, 90 * USEC_PER_DAY, 0, 0) < 10 * USEC_PER_SEC);
}

static void a_registry_that_always_asks_for_one_second_gets_more(void **state) {
        usec_t expected = 1;
        Pace pace = {};

        for (unsigned n = 0; n < 20; n++) {
                assert_int_equal(pace_next(&pace, FAILURE_RATE_LIMIT, USEC_PER_SEC, 0, 0),
                                 expected * USEC_PER_SEC);
                expected = expected * 2 > 300 ? 300 : expected * 2;
        }
}

static void a_registry_that_is_unwell_in_turns_is_not_asked_more_often(void **state) {
        static const FailureClass shapes[] = { FAILURE_TRANSPORT, FAILURE_REGISTRY, FAILURE_RATE_LIMIT };
        usec_t expected = 5;
        Pace pace = {};

        for (unsigned n = 0; n < 30; n++) {
                usec_t delay = pace_next(&pace, shapes[n % 3], 0, 0, LONGEST) / USEC_PER_SEC + 1;

                /* 30 s is where the rate limit begins */
                if (n % 3 == 2 && expected < 30)
                        expected = 30;
                assert_int_equal(delay, expected);
                expected = expected * 2 > 300 ? 300 : expected * 2;
        }
}

static void other_classes_begin_at_their_own_pace(void **state) {
        Pace pace = {};

        for (unsigned n = 0; n < 20; n++)
                (void) pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0);
        assert_in_range(pace_next(&pace, FAILURE_IDENTITY_UNAVAILABLE, 0, 0, 0), 0, 5 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_TLS, 0, 0, 0), 0, 60 * USEC_PER_SEC);
        assert_in_range(pace_next(&pace, FAILURE_REJECTED, 0, 0, 0), 0, 5 * USEC_PER_MINUTE);
        /* And two that take turns do not keep each other short. */
        for (unsigned n = 0; n < 20; n++) {
                (void) pace_next(&pace, FAILURE_REJECTED, 0, 0, 0);
                (void) pace_next(&pace, FAILURE_TLS, 0, 0, 0);
        }
        assert_true(pace_next(&pace, FAILURE_REJECTED, 0, 0, LONGEST) > 59 * USEC_PER_MINUTE);
        assert_true(pace_next(&pace, FAILURE_TLS, 0, 0, LONGEST) > 14 * USEC_PER_MINUTE);
}

static void events_are_heard_at_once_until_there_are_too_many(void **state) {
        Pace pace = { .n = { [FAILURE_TRANSPORT] = 20 } };
        usec_t left = pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0);

        /* A network that comes up bit by bit. */
        for (unsigned n = 0; n < 2; n++) {
                assert_true(pace_may_wake(&pace, FAILURE_TRANSPORT, left));
                left = pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0);
        }
        assert_in_range(left, 12 * USEC_PER_MINUTE, 13 * USEC_PER_MINUTE);
        assert_true(pace_may_wake(&pace, FAILURE_TRANSPORT, left));
        left = pace_next(&pace, FAILURE_TRANSPORT, 0, 0, 0);
        assert_false(pace_may_wake(&pace, FAILURE_TRANSPORT, left));
        /* Its time comes. */
        assert_true(pace_may_wake(&pace, FAILURE_TRANSPORT, 12 * USEC_PER_MINUTE));
}

static void count_down(FailureClass class, const Pace *before) {
        bool heard = false;

        for (usec_t left = 2 * USEC_PER_HOUR; left > 0; left -= 10 * USEC_PER_SEC) {
                Pace pace = *before;
                bool now = pace_may_wake(&pace, class, left);

                assert_true(now || !heard);
                if (!now)
                        assert_memory_equal(&pace, before, sizeof(pace));
                heard = now;
        }
}

/* What next_in_storm() below rests on. */
static void an_event_that_is_refused_changes_nothing_and_is_heard_when_less_is_left(void **state) {
        for (usec_t owed = 0; owed < 20 * USEC_PER_MINUTE; owed += USEC_PER_MINUTE)
                for (FailureClass class = 0; class < _FAILURE_CLASS_MAX; class ++)
                        count_down(class, &(Pace){ .owed = owed, .spared = owed / 3 });
}

static void no_event_ends_a_wait_that_the_registry_asked_for(void **state) {
        Pace pace = {};

        for (WaitEvent e = 0; e < _WAIT_EVENT_MAX; e++)
                assert_false(wait_event_classes(e) & (1U << FAILURE_RATE_LIMIT | 1U << FAILURE_REGISTRY));
        assert_false(pace_may_wake(&pace, FAILURE_RATE_LIMIT, 1));
}

/* --- how many attempts --- */

typedef struct Trouble {
        FailureClass class;
        usec_t retry_after;
        uint64_t luck;               /* what is drawn, 1: anything */
        usec_t storm_from, storm_to; /* an event every second */
        usec_t ends;                 /* of the credential that stands, 0: none does */
        usec_t times[ATTEMPTS_MAX];  /* of attempts, the first at 0 */
        size_t n;
} Trouble;

/* An event every second from `from` on, until `to` or the attempt at `next`: when is the attempt then? One
 * that is refused changes nothing, and less that is left is sooner heard: the first is found by halves. */
static usec_t next_in_storm(Pace *pace, FailureClass class, usec_t from, usec_t to, usec_t next) {
        usec_t end = to < next ? to : next;
        usec_t low = 0, n = end > from ? (end - from + USEC_PER_SEC - 1) / USEC_PER_SEC : 0, high = n;

        while (low < high) {
                usec_t middle = (low + high) / 2;
                Pace tried = *pace;

                if (pace_may_wake(&tried, class, next - from - middle * USEC_PER_SEC))
                        high = middle;
                else
                        low = middle + 1;
        }
        if (low == n)
                return next;
        assert_true(pace_may_wake(pace, class, next - from - low * USEC_PER_SEC));
        return from + low * USEC_PER_SEC;
}

static void suffer(Trouble *t) {
        Draw d = { t->class + t->storm_from };
        Pace pace = {};
        usec_t now = 0;

        for (t->n = 0; now < HOURS * USEC_PER_HOUR; t->n++) {
                usec_t next;

                assert_true(t->n < ATTEMPTS_MAX);
                t->times[t->n] = now;
                next = now + pace_next(&pace, t->class, t->retry_after, usec_sub(t->ends, now),
                                       t->luck == 1 ? draw(&d) : t->luck);
                now = next_in_storm(&pace, t->class, now < t->storm_from ? t->storm_from : now, t->storm_to,
                                    next);
        }
}

/* Of all hours that begin with an attempt between the two. */
static unsigned most_in_an_hour(const Trouble *t, usec_t from, usec_t to) {
        unsigned most = 0;

        for (size_t i = 0, k = 0; i < t->n; i++) {
                for (; k < t->n && t->times[k] < t->times[i] + USEC_PER_HOUR; k++)
                        ;
                if (t->times[i] >= from && t->times[i] <= to && k - i > most)
                        most = (unsigned) (k - i);
        }
        return most;
}

typedef struct Most {
        unsigned first, later;
} Most;

static void take_most(Most *most, const Trouble *how) {
        static Trouble t;
        unsigned first, later;

        t = *how;
        suffer(&t);
        first = most_in_an_hour(&t, 0, 0);
        later = most_in_an_hour(&t, USEC_PER_HOUR, (HOURS - 1) * USEC_PER_HOUR);
        most->first = first > most->first ? first : most->first;
        most->later = later > most->later ? later : most->later;
}

static bool is_ended_by_events(FailureClass class) {
        for (WaitEvent e = 0; e < _WAIT_EVENT_MAX; e++)
                if (wait_event_classes(e) & 1U << class)
                        return true;
        return false;
}

/* Storms of all lengths at all times. */
static void take_storms(Most *most, Trouble *how) {
        static const usec_t lengths[] = { USEC_PER_SEC, 5 * USEC_PER_MINUTE, USEC_PER_HOUR, USEC_PER_DAY };

        how->storm_from = how->storm_to = 0;
        take_most(most, how);
        if (!is_ended_by_events(how->class))
                return;
        for (; how->storm_from < 125 * USEC_PER_MINUTE; how->storm_from += 2 * USEC_PER_MINUTE)
                for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                        how->storm_to = how->storm_from + lengths[i];
                        take_most(most, how);
                }
}

/* With every kind of luck; without a credential, and with one that ends when it does most (a search by the
 * minute found no worse times); with a registry that always asks for a single second. */
static Most worst(FailureClass class) {
        static const uint64_t luck[] = { 0, 1, LONGEST };
        static const usec_t ends[] = { 0, 8, 14, 58, 68, 118 };
        static Trouble how;
        Most most = {};

        for (size_t i = 0; i < ELEMENTSOF(luck) * ELEMENTSOF(ends); i++) {
                how = (Trouble){ .class = class,
                                 .luck = luck[i / ELEMENTSOF(ends)],
                                 .ends = ends[i % ELEMENTSOF(ends)] * USEC_PER_MINUTE };
                take_storms(&most, &how);
                how.retry_after = USEC_PER_SEC;
                if (class == FAILURE_RATE_LIMIT)
                        take_storms(&most, &how);
        }
        return most;
}

/* --- what is said of them --- */

static void format_time(char *buffer, size_t size, usec_t t) {
        usec_t seconds = (t + USEC_PER_SEC / 2) / USEC_PER_SEC;

        if (seconds < 60)
                (void) snprintf(buffer, size, "%d s", (int) seconds);
        else if (seconds < 3600)
                (void) snprintf(buffer, size, "%d min", (int) (seconds / 60));
        else
                (void) snprintf(buffer, size, "%d h", (int) (seconds / 3600));
}

static char *format_events(FailureClass class) {
        static const char *const names[_WAIT_EVENT_MAX] = {
                [WAIT_EVENT_NETWORK] = "network up",        [WAIT_EVENT_RESUME] = "resume",
                [WAIT_EVENT_CLOCK] = "clock set",           [WAIT_EVENT_IDENTITY_FILE] = "token file",
                [WAIT_EVENT_CA_FILE] = "authorities' file",
        };
        _cleanup_free_ char *text = NULL;

        /* The publisher's own, see daemon/publisher. */
        if (class == FAILURE_PUBLISH)
                assert_ok(free_and_strdup(&text, "the target's file"));
        for (WaitEvent e = 0; e < _WAIT_EVENT_MAX; e++) {
                char *longer;

                if (!(wait_event_classes(e) & 1U << class))
                        continue;
                assert_ok(text_format(&longer, "%s%s%s", strempty(text), text ? ", " : "", names[e]));
                free(text);
                text = longer;
        }
        if (!text)
                assert_ok(free_and_strdup(&text, "–"));
        return TAKE_PTR(text);
}

static char *read_page(void) {
        FILE *f = fopen(SOURCE_ROOT "/docs/failures.md", "re");
        char *page = NULL;
        size_t size = 0;

        assert_non_null(f);
        assert_true(getdelim(&page, &size, '\0', f) > 0);
        assert_int_equal(fclose(f), 0);
        return page;
}

/* Each number of the page is the worst that was found, no more and no less. */
static void the_page_about_failures_shows_these_paces(void **state) {
        _cleanup_free_ char *page = read_page();

        for (FailureClass class = 0; class < _FAILURE_CLASS_MAX; class ++) {
                Pace young = {}, old = {};
                _cleanup_free_ char *events = format_events(class), *row = NULL;
                char first[16], longest[16];
                Most most = worst(class);

                old.n[class] = 1000;
                format_time(first, sizeof(first), pace_next(&young, class, 0, 0, LONGEST));
                format_time(longest, sizeof(longest), pace_next(&old, class, 0, 0, LONGEST));
                assert_ok(text_format(&row, "\n| %s | %s | %s | %s | %u | %u |\n",
                                      failure_class_to_string(class), first, longest, events, most.first,
                                      most.later));
                if (!strstr(page, row))
                        fail_msg("docs/failures.md lacks this row:%s", row);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paces_double_to_their_cap),
                cmocka_unit_test(a_credential_near_its_end_shortens_fast_paces),
                cmocka_unit_test(retry_after_is_obeyed_within_bounds),
                cmocka_unit_test(a_registry_that_always_asks_for_one_second_gets_more),
                cmocka_unit_test(a_registry_that_is_unwell_in_turns_is_not_asked_more_often),
                cmocka_unit_test(other_classes_begin_at_their_own_pace),
                cmocka_unit_test(events_are_heard_at_once_until_there_are_too_many),
                cmocka_unit_test(an_event_that_is_refused_changes_nothing_and_is_heard_when_less_is_left),
                cmocka_unit_test(no_event_ends_a_wait_that_the_registry_asked_for),
                cmocka_unit_test(the_page_about_failures_shows_these_paces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
