/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which alarm goes off when, and that one timer serves them all. */

#include "unit.h"

#include <time.h>

#include "io/alarm.h"

#define MANY 500

typedef struct World {
        sd_event *event;
        Alarms *alarms;
        size_t n_gone;
} World;

typedef struct Waiter {
        World *world;
        Alarm alarm;
        unsigned gone; /* how often it went off */
        size_t order;  /* as which one */
        usec_t gone_at;
        struct Waiter *stops; /* when it goes off */
} Waiter;

static void on_alarm(void *userdata) {
        Waiter *w = userdata;

        assert_null(w->alarm.set);
        w->gone++;
        w->gone_at = now_boot();
        w->order = w->world->n_gone++;
        if (w->stops)
                alarm_stop(&w->stops->alarm);
}

static int setup_world(void **state) {
        World *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        assert_int_equal(sd_event_new(&w->event), 0);
        assert_int_equal(alarms_new(w->event, CLOCK_BOOTTIME, on_alarm, &w->alarms), 0);
        *state = w;
        return 0;
}

static int teardown_world(void **state) {
        World *w = *state;

        alarms_free(w->alarms);
        sd_event_unref(w->event);
        free(w);
        return 0;
}

static void set(World *w, Waiter *waiter, usec_t at, usec_t accuracy) {
        waiter->world = w;
        assert_int_equal(alarm_set(w->alarms, &waiter->alarm, at, accuracy, waiter), 0);
        assert_ptr_equal(waiter->alarm.set, w->alarms);
}

static void run_until(World *w, size_t n_gone) {
        while (w->n_gone < n_gone)
                assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

/* What is due already goes off at once, in the order of its last moments. */
static void they_go_off_in_order(void **state) {
        static Waiter waiters[MANY];
        World *w = *state;
        usec_t now = now_boot();

        for (size_t i = 0; i < MANY; i++) {
                waiters[i] = (Waiter){};
                set(w, waiters + i, now - MANY + i * 7919 % MANY, 1);
        }
        for (size_t i = 0; i < MANY; i += 3)
                alarm_stop(&waiters[i].alarm);
        for (size_t i = 1; i < MANY; i += 3) /* as if it had been the only time */
                set(w, waiters + i, waiters[i].alarm.at + 1, 1);
        run_until(w, MANY - (MANY + 2) / 3);
        for (size_t i = 0; i < MANY; i++) {
                assert_int_equal(waiters[i].gone, i % 3 != 0);
                for (size_t k = 0; k < MANY; k++)
                        if (waiters[i].gone && waiters[k].gone &&
                            waiters[i].alarm.latest < waiters[k].alarm.latest)
                                assert_true(waiters[i].order < waiters[k].order);
        }
}

static void none_goes_off_early(void **state) {
        Waiter soon = {}, later = {}, never = {};
        World *w = *state;
        usec_t now = now_boot();

        set(w, &never, now + USEC_PER_DAY, 1);
        set(w, &later, now + 60 * USEC_PER_MSEC, 1);
        set(w, &soon, now + 20 * USEC_PER_MSEC, 1);
        run_until(w, 2);
        assert_true(soon.gone_at >= now + 20 * USEC_PER_MSEC);
        assert_true(later.gone_at >= now + 60 * USEC_PER_MSEC);
        assert_true(soon.order < later.order);
        assert_int_equal(never.gone, 0);
        alarm_stop(&never.alarm);
}

/* Who has all the time of the world does not hold up one who has none, and goes along with it when due. */
static void patience_puts_nobody_else_off(void **state) {
        Waiter patient = {}, exact = {}, distant = {};
        World *w = *state;
        usec_t now = now_boot();

        set(w, &patient, now + 10 * USEC_PER_MSEC, USEC_PER_HOUR);
        set(w, &exact, now + 30 * USEC_PER_MSEC, 1);
        set(w, &distant, now + 2 * USEC_PER_HOUR, 1);
        run_until(w, 2);
        assert_int_equal(exact.order, 0);
        assert_int_equal(patient.gone, 1);
        alarm_stop(&distant.alarm);
}

static void one_that_goes_off_may_stop_another(void **state) {
        Waiter victim = {}, first = { .stops = &victim }, last = {};
        World *w = *state;
        usec_t now = now_boot();

        set(w, &last, now - 1, 1);
        set(w, &victim, now - 2, 1);
        set(w, &first, now - 3, 1);
        run_until(w, 2);
        assert_int_equal(victim.gone, 0);
        assert_int_equal(last.gone, 1);
        alarm_stop(&victim.alarm);
}

static void it_can_be_set_again_when_it_went_off(void **state) {
        Waiter again = {};
        World *w = *state;

        for (size_t i = 1; i <= 3; i++) {
                set(w, &again, now_boot(), 1);
                run_until(w, i);
        }
        assert_int_equal(again.gone, 3);
}

static void one_can_move_to_another_set(void **state) {
        _cleanup_(alarms_freep) Alarms *other = NULL;
        World *w = *state;
        Waiter moved = {};

        assert_int_equal(alarms_new(w->event, CLOCK_BOOTTIME, on_alarm, &other), 0);
        set(w, &moved, now_boot() + USEC_PER_DAY, 1);
        assert_int_equal(alarm_set(other, &moved.alarm, now_boot(), 1, &moved), 0);
        assert_ptr_equal(moved.alarm.set, other);
        run_until(w, 1);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup_world, teardown_world)

int main(void) {
        const struct CMUnitTest tests[] = {
                WORLD_TEST(they_go_off_in_order),
                WORLD_TEST(none_goes_off_early),
                WORLD_TEST(patience_puts_nobody_else_off),
                WORLD_TEST(one_that_goes_off_may_stop_another),
                WORLD_TEST(it_can_be_set_again_when_it_went_off),
                WORLD_TEST(one_can_move_to_another_set),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
