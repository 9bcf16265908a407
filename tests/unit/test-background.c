/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Work in a thread: heard once, or not at all, and its data freed once either way. */

#include "unit.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "io/background.h"

/* What is done may have to wait for `gate`; `released` is told when its data goes. */
typedef struct Data {
        int gate, released;
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
        assert_int_equal(
                background_start(f->event, &(BackgroundJob){ work, release, d }, on_done, f, &f->background),
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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_end_is_told_once_and_by_the_loop, setup, teardown),
                cmocka_unit_test_setup_teardown(it_may_be_freed_when_it_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_hangs_keeps_nobody_waiting, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_is_done_unheard_is_freed_as_well, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
