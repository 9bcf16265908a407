/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that wait: how they end, and how many there may be. */

#include <systemd/sd-event.h>

#include "bus-fixture.h"
#include "io/waiting.h"

#define LONG USEC_PER_HOUR

/* What a call of a test waits for, and what became of it. */
typedef struct Wish {
        WaitingCall *call;
        bool begun, granted, late, freed;
} Wish;

typedef struct Fixture {
        void *bus; /* FakeBus, as its own fixture has it */
        sd_event *event;
        Callers *callers;
        Waiting *waiting;
        char *answer; /* the last one: "reply", or the name of an error */
        unsigned n_answers;
        Wish wishes[WAITING_MAX + 2]; /* they live as long as what waits */
} Fixture;

static int take_answer(sd_bus_message *m, void *userdata, sd_bus_error *reterror) {
        Fixture *f = userdata;
        uint8_t type;

        assert_ok(sd_bus_message_get_type(m, &type));
        if (type != SD_BUS_MESSAGE_METHOD_RETURN && type != SD_BUS_MESSAGE_METHOD_ERROR)
                return 0;
        f->n_answers++;
        assert_ok(free_and_strdup(&f->answer, type == SD_BUS_MESSAGE_METHOD_RETURN
                                                      ? "reply"
                                                      : sd_bus_message_get_error(m)->name));
        return 0;
}

static FakeBus *bus_of(Fixture *f) {
        return f->bus;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        *state = f;
        if (!f || setup_fake_bus(&f->bus) < 0 || sd_event_new(&f->event) < 0 ||
            callers_new(bus_of(f)->client, &f->callers) < 0 ||
            waiting_new(f->event, f->callers, &f->waiting) < 0 ||
            sd_bus_add_filter(bus_of(f)->server, NULL, take_answer, f) < 0)
                return -1;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        waiting_free(f->waiting);
        callers_free(f->callers);
        sd_event_unref(f->event);
        free(f->answer);
        (void) teardown_fake_bus(&f->bus);
        free(f);
        return 0;
}

static int answer(WaitingCall *c) {
        int r = sd_bus_reply_method_return(waiting_call_message(c), NULL);

        return r < 0 ? r : 1;
}

static int look(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        Wish *w = userdata;

        return w->granted ? answer(c) : 0;
}

static int begin(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        Wish *w = userdata;

        assert_false(w->begun);
        w->begun = true;
        w->call = c;
        return look(c, userdata, reterror);
}

static int late(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        Wish *w = userdata;

        w->late = true;
        return answer(c);
}

static int give_up(WaitingCall *c, void *userdata, sd_bus_error *reterror) {
        return sd_bus_error_set(reterror, "test.Error.Failed", "It failed");
}

static void wish_free(void *userdata) {
        Wish *w = userdata;

        assert_false(w->freed);
        w->freed = true;
}

static const WaitingKind kind = { .begin = begin, .look = look, .late = late, .free = wish_free };

/* A call that really came over the connection, so that it can be answered. */
static void arrive(Fixture *f, const char *sender, usec_t timeout, Wish *w) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = fake_bus_deliver(f->bus, sender);
        int r;

        r = waiting_add(f->waiting, m, timeout, &kind, w, &error);
        if (r < 0)
                assert_ok(sd_bus_reply_method_errno(m, r, &error));
        sd_bus_message_unref(m);
        fake_bus_run(f->bus);
}

static void what_is_there_is_answered_at_once(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes;

        w->granted = true;
        arrive(f, ":1.1000", LONG, w);
        assert_true(w->begun && w->freed);
        assert_string_equal(f->answer, "reply");
        assert_int_equal(f->n_answers, 1);
}

static void what_is_not_is_answered_when_it_has_come(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes, *other = w + 1;

        arrive(f, ":1.1000", LONG, w);
        arrive(f, ":1.1001", LONG, other);
        assert_true(w->begun && !w->freed);
        waiting_look(f->waiting);
        fake_bus_run(f->bus);
        assert_int_equal(f->n_answers, 0);
        w->granted = true;
        waiting_look(f->waiting);
        fake_bus_run(f->bus);
        assert_true(w->freed && !other->freed);
        assert_int_equal(f->n_answers, 1);
        waiting_look(f->waiting);
}

static void what_does_not_come_ends_with_its_time(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes;

        arrive(f, ":1.1000", 1, w);
        assert_int_equal(sd_event_run(f->event, 20 * USEC_PER_SEC), 1);
        fake_bus_run(f->bus);
        assert_true(w->late && w->freed);
        assert_int_equal(f->n_answers, 1);
}

static void a_step_from_outside_may_end_it_with_an_error(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes;

        arrive(f, ":1.1000", LONG, w);
        waiting_call_step(w->call, look);
        assert_false(w->freed);
        waiting_call_step(w->call, give_up);
        fake_bus_run(f->bus);
        assert_true(w->freed);
        assert_string_equal(f->answer, "test.Error.Failed");
}

static void it_ends_with_its_caller(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes, *early = w + 1;

        arrive(f, ":1.1000", LONG, w);
        bus_of(f)->silent = true;
        arrive(f, ":1.1001", LONG, early);
        assert_false(early->begun);
        fake_bus_depart(f->bus, "org.freedesktop.DBus", NULL, ":1.1000");
        fake_bus_depart(f->bus, "org.freedesktop.DBus", NULL, ":1.1001");
        fake_bus_run(f->bus);
        assert_true(w->freed && early->freed);
        assert_int_equal(f->n_answers, 0);
}

static void one_user_can_have_so_many(void **state) {
        Fixture *f = *state;
        char name[32];
        Wish *w = f->wishes, *other = f->wishes + ELEMENTSOF(f->wishes) - 1;

        /* Neither root nor who runs this. */
        snprintf(name, sizeof(name), ":1.%u", (unsigned) geteuid() + 2);
        for (size_t i = 0; i <= WAITING_PER_UID_MAX; i++)
                arrive(f, name, LONG, w + i);
        assert_true(w[WAITING_PER_UID_MAX - 1].begun);
        assert_true(!w[WAITING_PER_UID_MAX].begun && w[WAITING_PER_UID_MAX].freed);
        assert_string_equal(f->answer, SD_BUS_ERROR_LIMITS_EXCEEDED);
        arrive(f, ":1.1001", LONG, other);
        assert_true(other->begun);
        w[0].granted = true;
        waiting_look(f->waiting);
        w[WAITING_PER_UID_MAX] = (Wish){};
        arrive(f, name, LONG, w + WAITING_PER_UID_MAX);
        assert_true(w[WAITING_PER_UID_MAX].begun);
}

static void all_together_can_have_so_many(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes, *other = f->wishes + ELEMENTSOF(f->wishes) - 1;
        char name[32];

        /* Root's: only this limit is for it. */
        for (size_t i = 0; i <= WAITING_MAX; i++)
                arrive(f, ":1.0", LONG, w + i);
        assert_true(w[WAITING_MAX - 1].begun && !w[WAITING_MAX].begun && w[WAITING_MAX].freed);
        snprintf(name, sizeof(name), ":1.%u", (unsigned) geteuid() + 1);
        arrive(f, name, LONG, other);
        assert_true(other->freed && !other->begun);
        assert_string_equal(f->answer, SD_BUS_ERROR_LIMITS_EXCEEDED);
}

static void whom_nobody_knows_is_refused(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes;

        arrive(f, ":1.x", LONG, w);
        assert_true(w->freed && !w->begun);
        assert_string_equal(f->answer, SD_BUS_ERROR_ACCESS_DENIED);
}

static void without_a_connection_nothing_is_answered(void **state) {
        Fixture *f = *state;
        Wish *w = f->wishes, *early = w + 1;

        arrive(f, ":1.1000", LONG, w);
        bus_of(f)->silent = true;
        arrive(f, ":1.1001", LONG, early);
        f->waiting = waiting_free(f->waiting);
        fake_bus_run(f->bus);
        assert_true(w->freed && early->freed);
        assert_int_equal(f->n_answers, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(what_is_there_is_answered_at_once),
                TEST(what_is_not_is_answered_when_it_has_come),
                TEST(what_does_not_come_ends_with_its_time),
                TEST(a_step_from_outside_may_end_it_with_an_error),
                TEST(it_ends_with_its_caller),
                TEST(one_user_can_have_so_many),
                TEST(all_together_can_have_so_many),
                TEST(whom_nobody_knows_is_refused),
                TEST(without_a_connection_nothing_is_answered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
