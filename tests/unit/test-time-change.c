/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The watch on the real clock. Setting the clock of the machine that runs tests is out of the question: the
 * two system calls are taken in between, and say what they would say if it were set. */

#include "unit.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/clock.h"
#include "io/time-change.h"

static struct {
        int fd; /* the timer, -1: none yet */
        unsigned armed;
        struct itimerspec wanted;
        bool refuse;    /* to arm it again */
        bool cancelled; /* the clock was set */
} timer;

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
        /* sd-event has timers of its own, which no step cancels. */
        if (!(flags & TFD_TIMER_CANCEL_ON_SET))
                return (int) syscall(SYS_timerfd_settime, fd, flags, value, old);
        if (timer.refuse) {
                errno = EINVAL;
                return -1;
        }
        assert_true(flags & TFD_TIMER_ABSTIME);
        timer.fd = fd;
        timer.armed++;
        timer.wanted = *value;
        return (int) syscall(SYS_timerfd_settime, fd, flags, value, old);
}

ssize_t read(int fd, void *buffer, size_t size) {
        ssize_t n = (ssize_t) syscall(SYS_read, fd, buffer, size);

        if (fd != timer.fd || !timer.cancelled)
                return n;
        timer.cancelled = false;
        errno = ECANCELED;
        return -1;
}

/* Makes it readable, as a step does, or an end that was reached. */
static void fire(void) {
        static const struct itimerspec soon = { .it_value.tv_nsec = 1 };

        assert_int_equal(syscall(SYS_timerfd_settime, timer.fd, 0, &soon, NULL), 0);
}

static void on_set(void *userdata) {
        unsigned *told = userdata;

        (*told)++;
}

typedef struct Fixture {
        sd_event *event;
        TimeChange *change;
        unsigned told;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        memset(&timer, 0, sizeof(timer));
        *state = f;
        return !f || sd_event_new(&f->event) < 0 ||
                               time_change_new(f->event, on_set, &f->told, &f->change) < 0
                       ? -1
                       : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        time_change_free(f->change);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

/* How often it tells until there is nothing to do. */
static unsigned told(Fixture *f) {
        unsigned before = f->told;

        while (sd_event_run(f->event, 50 * USEC_PER_MSEC) > 0)
                assert_true(f->told - before < 10);
        return f->told - before;
}

static void nothing_is_told_while_nobody_sets_the_clock(void **state) {
        assert_int_equal(told(*state), 0);
        assert_int_equal(timer.armed, 1);
}

static void each_step_is_told_once_and_the_next_one_as_well(void **state) {
        for (unsigned i = 0; i < 3; i++) {
                timer.cancelled = true;
                fire();
                assert_int_equal(told(*state), 1);
                assert_int_equal(timer.armed, 2 + i);
        }
}

/* A host without a battery may wake up in 2069 as well as in 1970: nothing happened then. */
static void a_clock_that_is_decades_ahead_does_not_reach_the_end(void **state) {
        if (sizeof(time_t) < 8)
                skip();
        assert_true(timer.wanted.it_value.tv_sec > INT64_C(200) * 366 * 86400);
}

static void an_end_that_was_reached_all_the_same_is_no_end_of_watching(void **state) {
        fire();
        assert_int_equal(told(*state), 1);
        timer.cancelled = true;
        fire();
        assert_int_equal(told(*state), 1);
}

static void a_timer_that_cannot_be_had_again_does_not_spin(void **state) {
        timer.cancelled = timer.refuse = true;
        fire();
        assert_int_equal(told(*state), 1);
        fire();
        assert_int_equal(told(*state), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(nothing_is_told_while_nobody_sets_the_clock, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(each_step_is_told_once_and_the_next_one_as_well, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_clock_that_is_decades_ahead_does_not_reach_the_end, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(an_end_that_was_reached_all_the_same_is_no_end_of_watching,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(a_timer_that_cannot_be_had_again_does_not_spin, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
