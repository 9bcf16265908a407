/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file that is replaced, removed, swapped behind links, or touched by ourselves: what is told, and what
 * is not. */

#include "unit.h"

#include <time.h>

#include "base/clock.h"
#include "io/watch.h"

typedef struct Fixture {
        char *directory;
        sd_event *event;
        Watch *watch;
        unsigned told;
} Fixture;

static void on_change(void *userdata) {
        Fixture *f = userdata;

        f->told++;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        *state = f;
        return !f || setup_scratch((void **) &f->directory) < 0 || sd_event_new(&f->event) < 0 ? -1 : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;
        void *directory = f->directory;

        watch_free(f->watch);
        sd_event_unref(f->event);
        free(f);
        return teardown_scratch(&directory);
}

static char *in(const Fixture *f, const char *path) {
        static char paths[4][300];
        static unsigned next;
        char *p = paths[next++ % 4];

        snprintf(p, sizeof(paths[0]), "%s/%s", f->directory, path);
        return p;
}

static void start(Fixture *f, const char *path) {
        assert_ok(watch_new(f->event, in(f, path), on_change, f, &f->watch));
}

#define TURN (10 * USEC_PER_MSEC)
#define QUIET_TURNS 40

static void turn(Fixture *f) {
        usec_t end = now_boot() + TURN;

        do
                assert_ok(sd_event_run(f->event, usec_sub(end, now_boot())));
        while (now_boot() < end);
}

/* Runs the loop until nothing was told for a while; that is how "nothing is told" is seen. The loop itself
 * need never be at rest: the directories above are watched, too, and /tmp is everybody's. Turns are counted,
 * for time goes by as well while this process has to wait for a processor. */
static unsigned told(Fixture *f) {
        unsigned before = f->told, quiet = 0;

        while (quiet < QUIET_TURNS) {
                unsigned seen = f->told;

                turn(f);
                quiet = seen == f->told ? quiet + 1 : 0;
        }
        return f->told - before;
}

static void replace(const Fixture *f, const char *path, const char *text) {
        write_file(f->directory, "new", text);
        assert_int_equal(rename(in(f, "new"), in(f, path)), 0);
}

static void a_file_that_comes_changes_and_goes_is_told_each_time(void **state) {
        Fixture *f = *state;

        start(f, "token");
        assert_int_equal(told(f), 0);
        replace(f, "token", "1");
        assert_int_equal(told(f), 1);
        replace(f, "token", "2");
        assert_int_equal(told(f), 1);
        assert_int_equal(unlink(in(f, "token")), 0);
        assert_int_equal(told(f), 1);
}

static void other_files_of_the_directory_are_nobodys_business(void **state) {
        Fixture *f = *state;

        write_file(f->directory, "token", "1");
        start(f, "token");
        write_file(f->directory, "other", "1");
        replace(f, "other", "2");
        assert_int_equal(told(f), 0);
}

static void a_bunch_of_changes_is_not_told_one_by_one(void **state) {
        Fixture *f = *state;

        start(f, "token");
        for (unsigned i = 0; i < 20; i++)
                replace(f, "token", i % 2 ? "odd" : "even");
        /* Once, unless this machine takes longer over the bunch than a bunch may last. */
        assert_in_range(told(f), 1, 5);
}

static void directories_may_come_later_and_come_again(void **state) {
        Fixture *f = *state;

        start(f, "a/b/token");
        write_file(f->directory, "a/b/token", "1");
        assert_in_range(told(f), 1, 4);
        assert_int_equal(rename(in(f, "a"), in(f, "gone")), 0);
        assert_int_equal(told(f), 1);
        write_file(f->directory, "a/b/token", "2");
        assert_in_range(told(f), 1, 4);
        replace(f, "a/b/token", "3");
        assert_int_equal(told(f), 1);
}

static void in_a_home_links_are_not_followed_and_what_takes_their_place_is_told(void **state) {
        static const char path[] = "link/.config/auth.json";
        Fixture *f = *state;

        /* On the way to a home they are. */
        assert_int_equal(mkdir(in(f, "home"), 0700), 0);
        assert_int_equal(symlink("home", in(f, "link")), 0);
        write_file(f->directory, "elsewhere/auth.json", "1");
        assert_int_equal(symlink("../elsewhere", in(f, "home/.config")), 0);
        assert_ok(watch_new_in_home(f->event, in(f, path), strlen(".config/auth.json"), on_change, f,
                                    &f->watch));
        write_file(f->directory, "elsewhere/auth.json", "2");
        assert_int_equal(told(f), 0);
        assert_int_equal(unlink(in(f, "home/.config")), 0);
        assert_int_equal(told(f), 1);
        write_file(f->directory, "home/.config/auth.json", "1");
        assert_in_range(told(f), 1, 4);
        replace(f, "home/.config/auth.json", "2");
        assert_int_equal(told(f), 1);
        assert_int_equal(rename(in(f, "home"), in(f, "gone")), 0);
        assert_int_equal(told(f), 1);
        write_file(f->directory, "home/.config/auth.json", "3");
        assert_in_range(told(f), 1, 4);
        replace(f, "home/.config/auth.json", "4");
        assert_int_equal(told(f), 1);
}

/* As the kubelet does it: token -> ..data/token, ..data -> a directory with a date in its name. */
static void a_projected_token_is_swapped_by_its_directory(void **state) {
        Fixture *f = *state;

        write_file(f->directory, "..2026_1/token", "1");
        assert_int_equal(symlink("..2026_1", in(f, "..data")), 0);
        assert_int_equal(symlink("..data/token", in(f, "token")), 0);
        start(f, "token");
        assert_int_equal(told(f), 0);
        write_file(f->directory, "..2026_2/token", "2");
        assert_int_equal(told(f), 0);
        assert_int_equal(symlink("..2026_2", in(f, "..data_tmp")), 0);
        assert_int_equal(rename(in(f, "..data_tmp"), in(f, "..data")), 0);
        assert_int_equal(told(f), 1);
        write_file(f->directory, "..2026_2/token", "3 in place");
        assert_in_range(told(f), 1, 3);
}

static void links_in_a_circle_are_no_file(void **state) {
        Fixture *f = *state;

        assert_int_equal(symlink("b", in(f, "a")), 0);
        assert_int_equal(symlink("a", in(f, "b")), 0);
        start(f, "a");
        assert_int_equal(unlink(in(f, "b")), 0);
        write_file(f->directory, "b", "1");
        assert_in_range(told(f), 1, 4);
}

static void a_storm_costs_a_bounded_number_of_looks(void **state) {
        Fixture *f = *state;
        usec_t begin = now_boot();
        unsigned n = 0;

        start(f, "token");
        while (n < 300 || now_boot() < begin + 300 * USEC_PER_MSEC) {
                replace(f, "token", ++n % 2 ? "odd" : "even");
                (void) sd_event_run(f->event, 0);
        }
        (void) told(f);
        /* At most once in 20 ms, however long this machine took over it. */
        assert_in_range(f->told, 1, (now_boot() - begin) / (20 * USEC_PER_MSEC) + 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(a_file_that_comes_changes_and_goes_is_told_each_time),
                test(other_files_of_the_directory_are_nobodys_business),
                test(a_bunch_of_changes_is_not_told_one_by_one),
                test(directories_may_come_later_and_come_again),
                test(in_a_home_links_are_not_followed_and_what_takes_their_place_is_told),
                test(a_projected_token_is_swapped_by_its_directory),
                test(links_in_a_circle_are_no_file),
                test(a_storm_costs_a_bounded_number_of_looks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
