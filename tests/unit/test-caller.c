/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is known, who has to make room, and who is gone. */

#include <limits.h>

#include "bus-fixture.h"
#include "io/caller.h"

#define UNTOLD INT_MIN

typedef struct Guest {
        Caller *caller;
        int told;         /* UNTOLD, or what settled() was told */
        bool gone, leave; /* leave: frees itself as soon as it is told anything */
} Guest;

static void leave(Guest *g) {
        if (g->leave)
                g->caller = caller_free(g->caller);
}

static void on_settled(int r, void *userdata) {
        Guest *g = userdata;

        assert_int_equal(g->told, UNTOLD);
        g->told = r;
        leave(g);
}

static void on_gone(void *userdata) {
        Guest *g = userdata;

        assert_false(g->gone);
        g->gone = true;
        leave(g);
}

static const CallerHandlers handlers = { .settled = on_settled, .gone = on_gone };

static int arrive(FakeBus *f, Callers *callers, const char *sender, Guest *g) {
        sd_bus_message *m = fake_bus_call(f, sender);
        int r;

        g->told = UNTOLD;
        r = caller_new(callers, m, &handlers, g, &g->caller);
        sd_bus_message_unref(m);
        return r;
}

static Callers *make(FakeBus *f) {
        Callers *c = NULL;

        assert_int_equal(callers_new(f->client, &c), 0);
        return c;
}

static void a_uid_is_asked_for_once_per_connection(void **state) {
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest a = {}, b = {}, c = {}, d = {};

        f->questions = 0;
        assert_int_equal(arrive(f, callers, ":1.1000", &a), 0);
        assert_int_equal(arrive(f, callers, ":1.1000", &b), 0);
        assert_int_equal(arrive(f, callers, ":1.1001", &c), 0);
        assert_true(caller_uid(a.caller) == (uid_t) -1);
        fake_bus_run(f);
        assert_true(a.told == 0 && b.told == 0 && c.told == 0);
        assert_int_equal(caller_uid(b.caller), 1000);
        assert_int_equal(caller_uid(c.caller), 1001);
        assert_int_equal(f->questions, 2);
        assert_int_equal(arrive(f, callers, ":1.1000", &d), 1);
        assert_int_equal(caller_uid(d.caller), 1000);
        assert_int_equal(d.told, UNTOLD);
        caller_free(a.caller);
        caller_free(b.caller);
        caller_free(c.caller);
        caller_free(d.caller);
        callers_free(callers);
}

static void nothing_is_kept_when_all_are_gone(void **state) {
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest a = { .leave = true }, b = {};

        f->questions = 0;
        assert_int_equal(arrive(f, callers, ":1.1000", &a), 0);
        fake_bus_run(f);
        assert_int_equal(a.told, 0);
        fake_bus_run(f);
        assert_int_equal(f->matches, 0);
        assert_int_equal(arrive(f, callers, ":1.1000", &b), 0);
        fake_bus_run(f);
        assert_int_equal(f->questions, 2);
        assert_int_equal(f->matches, 1);
        caller_free(b.caller);
        callers_free(callers);
}

static void whom_the_bus_does_not_know_is_told_so(void **state) {
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest a = {}, b = {};

        assert_int_equal(arrive(f, callers, ":1.x", &a), 0);
        fake_bus_run(f);
        assert_int_equal(a.told, -ESRCH);
        assert_int_equal(arrive(f, callers, ":1.x", &b), -ESRCH);
        caller_free(a.caller);
        callers_free(callers);
}

static void who_leaves_is_gone_and_nobody_else(void **state) {
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest a = {}, b = { .leave = true }, c = {};

        assert_int_equal(arrive(f, callers, ":1.1000", &a), 0);
        assert_int_equal(arrive(f, callers, ":1.1000", &b), 0);
        assert_int_equal(arrive(f, callers, ":1.1001", &c), 0);
        f->silent = true;
        fake_bus_run(f);
        fake_bus_depart(f, "org.freedesktop.DBus", NULL, ":1.1000");
        fake_bus_depart(f, "org.freedesktop.DBus", NULL, ":1.1000");
        fake_bus_run(f);
        assert_true(a.gone && b.gone && !c.gone);
        assert_null(b.caller);
        caller_free(a.caller);
        caller_free(c.caller);
        callers_free(callers);
}

static void what_only_looks_like_a_departure_is_none(void **state) {
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest a = {};

        assert_int_equal(arrive(f, callers, ":1.1000", &a), 0);
        fake_bus_run(f);
        fake_bus_depart(f, ":1.66", NULL, ":1.1000");
        fake_bus_depart(f, "org.freedesktop.DBus", ":1.1", ":1.1000");
        fake_bus_run(f);
        assert_false(a.gone);
        caller_free(a.caller);
        callers_free(callers);
}

static void a_flood_makes_room_for_others(void **state) {
        static Guest flood[CALLERS_UNKNOWN_MAX + 1];
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest others[3] = {};

        f->silent = true;
        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++)
                assert_int_equal(arrive(f, callers, ":1.6", flood + i), 0);
        assert_int_equal(arrive(f, callers, ":1.6", flood + CALLERS_UNKNOWN_MAX), -EBUSY);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                char name[16];

                snprintf(name, sizeof(name), ":1.%zu", 1000 + i);
                assert_int_equal(arrive(f, callers, name, others + i), 0);
                assert_int_equal(flood[CALLERS_UNKNOWN_MAX - 1 - i].told, -EBUSY);
        }
        assert_int_equal(flood[CALLERS_UNKNOWN_MAX - 1 - ELEMENTSOF(others)].told, UNTOLD);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                assert_int_equal(others[i].told, UNTOLD);
                caller_free(others[i].caller);
        }
        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++)
                caller_free(flood[i].caller);
        callers_free(callers);
}

static void those_who_are_known_take_no_room(void **state) {
        static Guest known[CALLERS_UNKNOWN_MAX];
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest other = {};

        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++)
                assert_int_equal(arrive(f, callers, ":1.6", known + i), 0);
        fake_bus_run(f);
        assert_int_equal(arrive(f, callers, ":1.1000", &other), 0);
        fake_bus_run(f);
        assert_int_equal(other.told, 0);
        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++) {
                assert_int_equal(known[i].told, 0);
                caller_free(known[i].caller);
        }
        caller_free(other.caller);
        callers_free(callers);
}

static void a_crowd_of_connections_with_one_each_leaves_none_out(void **state) {
        static Guest crowd[CALLERS_UNKNOWN_MAX];
        FakeBus *f = *state;
        Callers *callers = make(f);
        Guest late = {};

        f->silent = true;
        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++) {
                char name[16];

                snprintf(name, sizeof(name), ":1.%zu", 2000 + i);
                assert_int_equal(arrive(f, callers, name, crowd + i), 0);
        }
        assert_int_equal(arrive(f, callers, ":1.1000", &late), -EBUSY);
        for (size_t i = 0; i < CALLERS_UNKNOWN_MAX; i++) {
                assert_int_equal(crowd[i].told, UNTOLD);
                caller_free(crowd[i].caller);
        }
        callers_free(callers);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_uid_is_asked_for_once_per_connection, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(nothing_is_kept_when_all_are_gone, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(whom_the_bus_does_not_know_is_told_so, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(who_leaves_is_gone_and_nobody_else, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(what_only_looks_like_a_departure_is_none, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(a_flood_makes_room_for_others, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(those_who_are_known_take_no_room, setup_fake_bus,
                                                teardown_fake_bus),
                cmocka_unit_test_setup_teardown(a_crowd_of_connections_with_one_each_leaves_none_out,
                                                setup_fake_bus, teardown_fake_bus),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
