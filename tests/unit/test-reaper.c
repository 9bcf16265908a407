/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is killed and does not go, and children that are none of a program. */

#include "unit.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/reaper.h"

#define EVENT_LIMIT (30 * USEC_PER_SEC)

typedef struct Fixture {
        sd_event *event;
        Reaper *reaper;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        sigset_t signals;

        *state = f;
        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        return !f || sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || sd_event_new(&f->event) < 0 ? -1 : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        reaper_free(f->reaper);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

/* A child that lives until the other end of the pipe is closed, and has begun to. */
typedef struct Child {
        pid_t pid;
        int fd;
} Child;

static Child start_child(void (*work)(int fd)) {
        int down[2], up[2];
        char byte;
        Child c;

        assert_int_equal(pipe2(down, O_CLOEXEC), 0);
        assert_int_equal(pipe2(up, O_CLOEXEC), 0);
        c.pid = fork();
        assert_ok(c.pid);
        if (c.pid == 0) {
                (void) close(down[1]);
                (void) setsid();
                (void) !write(up[1], "x", 1);
                if (work)
                        work(down[0]);
                (void) !read(down[0], &byte, 1);
                _exit(0);
        }
        (void) close(down[0]);
        (void) close(up[1]);
        c.fd = down[1];
        assert_int_equal(read(up[0], &byte, 1), 1);
        (void) close(up[0]);
        return c;
}

/* Returns its exit status, or -1 if it was killed. */
static int end_child(Child c) {
        siginfo_t info = {};

        (void) close(c.fd);
        assert_int_equal(waitid(P_PID, (id_t) c.pid, &info, WEXITED), 0);
        return info.si_code == CLD_EXITED ? info.si_status : -1;
}

/* Traces the process whose number it reads, and stops itself as a sign that it does. */
static void trace(int fd) {
        pid_t traced;

        if (read(fd, &traced, sizeof(traced)) != sizeof(traced) ||
            ptrace(PTRACE_SEIZE, traced, NULL, NULL) < 0)
                _exit(1);
        (void) raise(SIGSTOP);
}

static bool is_there(pid_t pid) {
        return kill(pid, 0) == 0;
}

/* It was killed. What the kernel has not let go of in a second is collected by the loop when it has. */
static void assert_goes(Fixture *f, pid_t pid) {
        while (is_there(pid))
                assert_true(sd_event_run(f->event, EVENT_LIMIT) > 0);
}

/* A program that is ended while `tracer` traces it. Returns false if nobody may trace here. */
static bool end_held(Fixture *f, Child tracer, pid_t *ret) {
        Leader leader = {};
        siginfo_t info = {};
        Child held;

        assert_ok(reaper_new(f->event, /* adopt= */ true, &f->reaper));
        held = start_child(NULL);
        reaper_add(f->reaper, &leader, held.pid);
        assert_int_equal(write(tracer.fd, &held.pid, sizeof(held.pid)), sizeof(held.pid));
        assert_int_equal(waitid(P_PID, (id_t) tracer.pid, &info, WEXITED | WSTOPPED | WNOWAIT), 0);
        reaper_end(f->reaper, &leader);
        (void) close(held.fd);
        assert_int_equal(leader.pid, 0);
        assert_int_equal(is_there(held.pid), info.si_code == CLD_STOPPED);
        *ret = held.pid;
        return info.si_code == CLD_STOPPED;
}

static void let_go(Child tracer) {
        assert_int_equal(kill(tracer.pid, SIGCONT), 0);
        (void) end_child(tracer);
}

/* valgrind knows no descriptors of processes. That is not told as skipped, which meson would take for a
 * failure as cmocka writes it. */
static bool no_descriptors(void) {
        return strstr(strempty(getenv("LD_PRELOAD")), "vgpreload");
}

/* What somebody traces cannot be collected by its parent, which is like being in a system call that does not
 * end. */
static void what_does_not_go_is_collected_when_it_goes(void **state) {
        Child tracer = start_child(trace), other;
        Leader another = {};
        Fixture *f = *state;
        pid_t held;
        bool stuck = end_held(f, tracer, &held);

        /* Another program comes and goes as if there were no such thing. */
        other = start_child(NULL);
        reaper_add(f->reaper, &another, other.pid);
        reaper_end(f->reaper, &another);
        (void) close(other.fd);
        assert_goes(f, other.pid);
        assert_int_equal(is_there(held), stuck);

        let_go(tracer);
        if (stuck && no_descriptors()) {
                assert_int_equal(waitpid(held, NULL, 0), held);
                return;
        }
        while (is_there(held))
                assert_true(sd_event_run(f->event, EVENT_LIMIT) > 0);
        if (!stuck)
                skip(); /* nobody may trace here */
}

/* Nobody comes back for it, and nothing of ours is kept for it. */
static void what_never_goes_is_left_behind(void **state) {
        Child tracer = start_child(trace);
        Fixture *f = *state;
        pid_t held;
        bool stuck = end_held(f, tracer, &held);

        f->reaper = reaper_free(f->reaper);
        let_go(tracer);
        if (stuck)
                assert_int_equal(waitpid(held, NULL, 0), held);
}

static void children_of_before_are_left_alone(void **state) {
        Child early = start_child(NULL), program;
        Leader leader = {};
        Fixture *f = *state;

        assert_ok(reaper_new(f->event, /* adopt= */ true, &f->reaper));
        program = start_child(NULL);
        reaper_add(f->reaper, &leader, program.pid);
        reaper_end(f->reaper, &leader);
        (void) close(program.fd);
        assert_goes(f, program.pid);
        assert_int_equal(end_child(early), 0);
}

static void without_adoption_no_other_child_is_touched(void **state) {
        Child program, late;
        Leader leader = {};
        Fixture *f = *state;

        assert_ok(reaper_new(f->event, /* adopt= */ false, &f->reaper));
        program = start_child(NULL);
        late = start_child(NULL);
        reaper_add(f->reaper, &leader, program.pid);
        reaper_end(f->reaper, &leader);
        (void) close(program.fd);
        assert_goes(f, program.pid);
        assert_int_equal(end_child(late), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_does_not_go_is_collected_when_it_goes, setup, teardown),
                cmocka_unit_test_setup_teardown(what_never_goes_is_left_behind, setup, teardown),
                cmocka_unit_test_setup_teardown(children_of_before_are_left_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(without_adoption_no_other_child_is_touched, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
