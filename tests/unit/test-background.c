/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Work in a thread: heard once, or not at all, and its data freed once either way. */

#include "unit.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "io/background.h"

/* What is done may have to wait for `gate`; `released` is told when its data goes. */
typedef struct Data {
        int gate, released, begun;
        int r;
} Data;

typedef struct Fixture {
        sd_event *event;
        Background *background;
        int gate, released;
        unsigned told;
        int r;
        bool free_inside;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        *state = f;
        if (!f || sd_event_new(&f->event) < 0)
                return -1;
        f->gate = eventfd(0, EFD_CLOEXEC);
        f->released = eventfd(0, EFD_CLOEXEC);
        return f->gate < 0 || f->released < 0 ? -1 : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        background_free(f->background);
        sd_event_unref(f->event);
        closep(&f->gate);
        closep(&f->released);
        free(f);
        return 0;
}

static void signal_fd(int fd) {
        uint64_t one = 1;

        assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

static uint64_t take(int fd) {
        uint64_t count;

        assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
        return count;
}

static int work(void *data) {
        Data *d = data;

        (void) take(d->gate);
        return d->r;
}

static void release(void *data) {
        Data *d = data;

        signal_fd(d->released);
        free(d);
}

/* What is done in a lane says when it begins. */
static int work_in_lane(void *data) {
        signal_fd(((Data *) data)->begun);
        return work(data);
}

static void on_done(int r, void *data, void *userdata) {
        Fixture *f = userdata;

        f->told++;
        f->r = r;
        assert_int_equal(((Data *) data)->r, r);
        if (f->free_inside)
                f->background = background_free(f->background);
}

static void start(Fixture *f, int r) {
        Data *d = calloc(1, sizeof(*d));

        assert_non_null(d);
        *d = (Data){ .gate = f->gate, .released = f->released, .r = r };
        assert_int_equal(background_start(f->event, &(BackgroundJob){ NULL, work, release, d }, on_done, f,
                                          &f->background),
                         0);
}

static void the_end_is_told_once_and_by_the_loop(void **state) {
        Fixture *f = *state;

        start(f, -EPERM);
        assert_int_equal(sd_event_run(f->event, 0), 0);
        signal_fd(f->gate);
        assert_int_equal(f->told, 0);
        while (f->told == 0)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_int_equal(f->r, -EPERM);
        assert_int_equal(sd_event_run(f->event, 0), 0);
        f->background = background_free(f->background);
        assert_int_equal(take(f->released), 1);
}

static void it_may_be_freed_when_it_is_told(void **state) {
        Fixture *f = *state;

        f->free_inside = true;
        start(f, 1);
        signal_fd(f->gate);
        while (f->told == 0)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_int_equal(take(f->released), 1);
}

static void one_that_hangs_keeps_nobody_waiting(void **state) {
        Fixture *f = *state;

        start(f, 0);
        f->background = background_free(f->background);
        /* Still at it: nothing is freed under its feet. */
        assert_int_equal(poll(&(struct pollfd){ .fd = f->released, .events = POLLIN }, 1, 50), 0);
        signal_fd(f->gate);
        assert_int_equal(take(f->released), 1);
        assert_int_equal(f->told, 0);
}

static void one_that_is_done_unheard_is_freed_as_well(void **state) {
        Fixture *f = *state;
        uint64_t left;

        start(f, 0);
        signal_fd(f->gate);
        /* Its gate is taken, so it is at its end or behind it. */
        while (poll(&(struct pollfd){ .fd = f->gate, .events = POLLIN }, 1, 0) > 0)
                ;
        f->background = background_free(f->background);
        left = take(f->released);
        assert_int_equal(left, 1);
        assert_int_equal(f->told, 0);
}

static BackgroundLane lane = BACKGROUND_LANE_INIT;

typedef struct Turn {
        int gate, begun, r;
        unsigned told;
        Background *background;
} Turn;

static void on_turn(int r, void *data, void *userdata) {
        Turn *t = userdata;

        t->r = r;
        t->told++;
}

static void take_turn(Fixture *f, Turn *t, int r) {
        Data *d = calloc(1, sizeof(*d));

        assert_non_null(d);
        *t = (Turn){ .gate = eventfd(0, EFD_CLOEXEC), .begun = eventfd(0, EFD_CLOEXEC) };
        *d = (Data){ .gate = t->gate, .begun = t->begun, .released = f->released, .r = r };
        assert_ok(background_start(f->event, &(BackgroundJob){ &lane, work_in_lane, release, d }, on_turn, t,
                                   &t->background));
}

static bool has_begun(const Turn *t) {
        return poll(&(struct pollfd){ .fd = t->begun, .events = POLLIN }, 1, 0) > 0;
}

static void turn_done(Turn *t) {
        t->background = background_free(t->background);
        closep(&t->gate);
        closep(&t->begun);
}

static void hear(Fixture *f, const Turn *t, int r) {
        while (t->told == 0)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_int_equal(t->r, r);
}

static void in_a_lane_one_comes_after_the_other(void **state) {
        Fixture *f = *state;
        Turn turns[3];

        for (int i = 0; i < 3; i++)
                take_turn(f, turns + i, i + 1);
        for (int i = 0; i < 3; i++) {
                (void) take(turns[i].begun);
                for (int j = i + 1; j < 3; j++)
                        assert_false(has_begun(turns + j));
                signal_fd(turns[i].gate);
                hear(f, turns + i, i + 1);
        }
        for (int i = 0; i < 3; i++) {
                turn_done(turns + i);
                (void) take(f->released);
        }
}

static void who_gives_up_in_the_lane_is_never_begun_and_keeps_nobody(void **state) {
        Fixture *f = *state;
        Turn hanging, unheard, last;

        take_turn(f, &hanging, 1);
        take_turn(f, &unheard, 2);
        take_turn(f, &last, 3);
        (void) take(hanging.begun);
        /* One that waits goes at once, one that hangs when it is done. */
        unheard.background = background_free(unheard.background);
        assert_int_equal(take(f->released), 1);
        hanging.background = background_free(hanging.background);
        assert_false(has_begun(&last));
        signal_fd(hanging.gate);
        signal_fd(last.gate);
        hear(f, &last, 3);
        assert_false(has_begun(&unheard));
        assert_int_equal(take(f->released), 1);
        turn_done(&last);
        (void) take(f->released);
        turn_done(&unheard);
        turn_done(&hanging);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_end_is_told_once_and_by_the_loop, setup, teardown),
                cmocka_unit_test_setup_teardown(it_may_be_freed_when_it_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_hangs_keeps_nobody_waiting, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_is_done_unheard_is_freed_as_well, setup, teardown),
                cmocka_unit_test_setup_teardown(in_a_lane_one_comes_after_the_other, setup, teardown),
                cmocka_unit_test_setup_teardown(who_gives_up_in_the_lane_is_never_begun_and_keeps_nobody,
                                                setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
