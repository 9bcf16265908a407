/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs that print, fail, hang, fork, hide, and print too much: each ends in its outcome and leaves
 * nothing behind. */

#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "base/text.h"
#include "io/process.h"

typedef struct Fixture {
        sd_event *event;
        Processes *processes;
        Process *process;
        char *directory;
        bool done;
        ProcessResult result;
        char words[300];
        Secret *output;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        sigset_t signals;

        *state = f;
        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        return !f || sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ||
                               setup_scratch((void **) &f->directory) < 0 || sd_event_new(&f->event) < 0 ||
                               processes_new(f->event, PROCESSES_ADOPT, &f->processes) < 0
                       ? -1
                       : 0;
}

static int teardown(void **state) {
        Fixture *f = *state;
        void *directory = f->directory;

        process_free(f->process);
        processes_free(f->processes);
        secret_free(f->output);
        sd_event_unref(f->event);
        free(f);
        return teardown_scratch(&directory);
}

static void on_result(const ProcessResult *result, Secret *output, void *userdata) {
        Fixture *f = userdata;

        assert_false(f->done);
        f->done = true;
        f->result = *result;
        (void) snprintf(f->words, sizeof(f->words), "%s", result->last_words);
        f->output = output;
        f->process = process_free(f->process);
}

static int start_with(Fixture *f, const Secret *input, usec_t timeout, size_t max, const char *script,
                      const char *argument) {
        const char *arguments[] = { "/bin/sh", "-c", script, "sh", argument, NULL };
        static const char *const environment[] = { "PATH=/usr/bin:/bin", "GREETING=hello", NULL };

        return process_start(f->processes,
                             &(ProcessSpec){
                                     .arguments = (char *const *) arguments,
                                     .environment = (char *const *) environment,
                                     .timeout = timeout,
                                     .output_max = max,
                                     .input = input,
                             },
                             on_result, f, &f->process);
}

static int start(Fixture *f, usec_t timeout, size_t max, const char *script, const char *argument) {
        return start_with(f, NULL, timeout, max, script, argument);
}

static void run(Fixture *f, usec_t timeout, size_t max, const char *script) {
        f->output = secret_free(f->output);
        f->done = false;
        assert_int_equal(start(f, timeout, max, script, f->directory), 0);
        while (!f->done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_null(f->process);
}

static void assert_output(const Fixture *f, const char *text) {
        struct iovec bytes = secret_peek(f->output);

        assert_int_equal(bytes.iov_len, strlen(text));
        assert_memory_equal(bytes.iov_base, text, bytes.iov_len);
}

static void what_it_prints_arrives(void **state) {
        Fixture *f = *state;

        run(f, USEC_PER_MINUTE, 100, "printf 'a b'; echo one >&2; printf 'two\\n\\n' >&2");
        assert_int_equal(f->result.outcome, PROCESS_EXITED);
        assert_int_equal(f->result.status, 0);
        assert_output(f, "a b");
        assert_string_equal(f->words, "two");
}

static void it_gets_nothing_but_its_environment(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

        assert_true(fd > 2);
        run(f, USEC_PER_MINUTE, 4096,
            "cat; ls /proc/self/fd | wc -l; pwd; echo $GREETING $HOME$USER$LOGNAME");
        /* 0, 1, 2, and the one that ls reads */
        assert_output(f, "4\n/\nhello\n");
}

static void what_it_is_to_read_is_its_standard_input(void **state) {
        _cleanup_secret_ Secret *input = NULL, *none = NULL;
        Fixture *f = *state;

        assert_ok(secret_new_string("one\ntwo\n", &input));
        assert_ok(secret_new("", 0, &none));
        assert_int_equal(start_with(f, input, USEC_PER_MINUTE, 100,
                                    "read a; printf '<%s>' $a; cat; echo x 2>/dev/null >&0 || printf sealed",
                                    ""),
                         0);
        while (!f->done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_output(f, "<one>two\nsealed");
        f->output = secret_free(f->output);
        f->done = false;
        assert_int_equal(start_with(f, none, USEC_PER_MINUTE, 100, "cat; printf end", ""), 0);
        while (!f->done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_output(f, "end");
}

static void its_failure_is_told(void **state) {
        Fixture *f = *state;

        run(f, USEC_PER_MINUTE, 100, "echo sorry >&2; exit 7");
        assert_int_equal(f->result.outcome, PROCESS_EXITED);
        assert_int_equal(f->result.status, 7);
        assert_string_equal(f->words, "sorry");
        run(f, USEC_PER_MINUTE, 100, "kill -SEGV $$");
        assert_int_equal(f->result.outcome, PROCESS_KILLED);
        assert_int_equal(f->result.status, SIGSEGV);
        assert_string_equal(f->words, "");
}

static void of_much_talk_the_end_is_kept(void **state) {
        Fixture *f = *state;

        run(f, USEC_PER_MINUTE, 100, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done >&2");
        assert_string_equal(f->words, "line 2999");
        run(f, USEC_PER_MINUTE, 100, "head -c 100000 /dev/zero | tr '\\0' x >&2");
        assert_int_equal(f->result.outcome, PROCESS_EXITED);
        assert_in_range(strlen(f->words), 100, 256);
}

static void too_much_output_ends_it(void **state) {
        Fixture *f = *state;

        run(f, USEC_PER_MINUTE, 10, "printf 0123456789");
        assert_int_equal(f->result.outcome, PROCESS_EXITED);
        assert_output(f, "0123456789");
        run(f, USEC_PER_MINUTE, 10, "exec cat /dev/zero");
        assert_int_equal(f->result.outcome, PROCESS_TOO_LARGE);
        run(f, USEC_PER_MINUTE, 10, "printf 0123456789a");
        assert_int_equal(f->result.outcome, PROCESS_TOO_LARGE);
}

/* The program wrote the numbers of those it started into a file; all of them must be gone. What was killed
 * and is not gone in a second is collected by the loop when it is. */
static void assert_gone(const Fixture *f, unsigned n) {
        _cleanup_free_ char *path = NULL;
        unsigned seen = 0;
        FILE *file;
        int pid;

        assert_ok(text_format(&path, "%s/pids", f->directory));
        file = fopen(path, "re");
        assert_non_null(file);
        while (fscanf(file, "%d", &pid) == 1) {
                while (kill(pid, 0) == 0)
                        assert_ok(sd_event_run(f->event, UINT64_MAX));
                assert_int_equal(errno, ESRCH);
                seen++;
        }
        assert_int_equal(fclose(file), 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(seen, n);
}

/* Waits until the program has told numbers, and returns the first. All are of processes that are there. */
static pid_t wait_for_numbers(const Fixture *f, unsigned n) {
        _cleanup_free_ char *path = NULL;
        unsigned seen = 0;
        FILE *file;
        int pid, first = 0;

        assert_ok(text_format(&path, "%s/pids", f->directory));
        while (access(path, F_OK) < 0)
                assert_ok(sd_event_run(f->event, 10 * USEC_PER_MSEC));
        file = fopen(path, "re");
        assert_non_null(file);
        for (; fscanf(file, "%d", &pid) == 1; seen++) {
                assert_int_equal(kill(pid, 0), 0);
                first = first ?: pid;
        }
        assert_int_equal(fclose(file), 0);
        assert_int_equal(seen, n);
        return first;
}

static void one_that_hangs_is_killed_with_its_children(void **state) {
        _cleanup_free_ char *path = NULL;
        Fixture *f = *state;

        assert_ok(start(f, 500 * USEC_PER_MSEC, 100,
                        "trap '' TERM HUP; sleep 1000 & echo hanging >&2; echo $$ $! > $1/new;"
                        "mv $1/new $1/pids; wait",
                        f->directory));
        /* Its time is not over for us as long as the loop does not turn. */
        assert_ok(text_format(&path, "%s/pids", f->directory));
        while (access(path, F_OK) < 0)
                (void) poll(NULL, 0, 10);
        while (!f->done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_int_equal(f->result.outcome, PROCESS_TIMEOUT);
        assert_string_equal(f->words, "hanging");
        assert_gone(f, 2);
}

static void one_that_leaves_something_behind_leaves_nothing(void **state) {
        Fixture *f = *state;

        /* In its group; in a session of its own; and with our pipe still open. */
        run(f, USEC_PER_MINUTE, 100,
            "sleep 1000 & echo $! > $1/pids;"
            "setsid sh -c 'sleep 1000 & echo $$ $! >> $0/pids; wait' $1 &"
            "while [ $(wc -w < $1/pids) -lt 3 ]; do :; done; printf token");
        assert_int_equal(f->result.outcome, PROCESS_EXITED);
        assert_output(f, "token");
        assert_gone(f, 3);
}

static void one_that_is_not_wanted_any_more_is_killed(void **state) {
        Fixture *f = *state;

        assert_int_equal(start(f, USEC_PER_MINUTE, 100,
                               "echo $$ > $1/new; mv $1/new $1/pids; exec sleep 1000", f->directory),
                         0);
        (void) wait_for_numbers(f, 1);
        f->process = process_free(f->process);
        assert_gone(f, 1);
        assert_false(f->done);
}

static void two_at_once_do_not_kill_each_other(void **state) {
        Fixture *f = *state;
        Fixture other = { .event = f->event, .processes = f->processes };

        assert_int_equal(start(&other, USEC_PER_MINUTE, 100, "read x < $1/go; printf $x", f->directory), 0);
        other.process = process_free(other.process);
        assert_int_equal(start(&other, USEC_PER_MINUTE, 100,
                               "until [ -e $1/go ]; do sleep 0.01; done; printf late", f->directory),
                         0);
        run(f, USEC_PER_MINUTE, 100, "printf early");
        assert_output(f, "early");
        write_file(f->directory, "go", "x");
        while (!other.done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_output(&other, "late");
        secret_free(other.output);
}

static void what_left_its_session_ends_with_the_last_program(void **state) {
        Fixture *f = *state;
        Fixture other = { .event = f->event, .processes = f->processes };

        /* One in the session of `other`, one in a session of its own; the parents of both are gone. */
        assert_int_equal(start(&other, USEC_PER_MINUTE, 100,
                               "sh -c 'sleep 1000 & echo $! > $0/new' $1;"
                               "setsid sh -c 'sleep 1000 & echo $! >> $0/new' $1;"
                               "mv $1/new $1/pids; until [ -e $1/go ]; do sleep 0.01; done; printf late",
                               f->directory),
                         0);
        (void) wait_for_numbers(f, 2);
        run(f, USEC_PER_MINUTE, 100, "printf early");
        (void) wait_for_numbers(f, 2);
        write_file(f->directory, "go", "x");
        while (!other.done)
                assert_ok(sd_event_run(f->event, UINT64_MAX));
        assert_output(&other, "late");
        assert_gone(f, 2);
        secret_free(other.output);
}

static void what_stayed_in_its_session_ends_with_it(void **state) {
        Fixture *f = *state;
        Fixture other = { .event = f->event, .processes = f->processes };

        assert_int_equal(start(&other, USEC_PER_MINUTE, 100, "exec sleep 1000", f->directory), 0);
        /* In a group of its own, which job control makes. */
        run(f, USEC_PER_MINUTE, 100, "set -m; sh -c 'sleep 1000 & echo $! > $0/pids' $1 & wait; printf x");
        assert_output(f, "x");
        assert_gone(f, 1);
        other.process = process_free(other.process);
}

static void what_cannot_be_run_is_said_at_once(void **state) {
        Fixture *f = *state;
        ProcessSpec spec = { .environment = (char *const[]){ NULL },
                             .timeout = USEC_PER_MINUTE,
                             .output_max = 10 };

        /* Nothing can be seen under valgrind, whose posix_spawn() does not tell why exec() failed. That is
         * not told as skipped, which meson would take for a failure as cmocka writes it. */
        if (strstr(strempty(getenv("LD_PRELOAD")), "vgpreload"))
                return;
        spec.arguments = (char *const[]){ (char *) "/nonexistent/program", NULL };
        assert_int_equal(process_start(f->processes, &spec, on_result, f, &f->process), -ENOENT);
        spec.arguments = (char *const[]){ (char *) "/etc/passwd", NULL };
        assert_int_equal(process_start(f->processes, &spec, on_result, f, &f->process), -EACCES);
        assert_null(f->process);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_it_prints_arrives, setup, teardown),
                cmocka_unit_test_setup_teardown(it_gets_nothing_but_its_environment, setup, teardown),
                cmocka_unit_test_setup_teardown(what_it_is_to_read_is_its_standard_input, setup, teardown),
                cmocka_unit_test_setup_teardown(its_failure_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(of_much_talk_the_end_is_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(too_much_output_ends_it, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_hangs_is_killed_with_its_children, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_leaves_something_behind_leaves_nothing, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(one_that_is_not_wanted_any_more_is_killed, setup, teardown),
                cmocka_unit_test_setup_teardown(two_at_once_do_not_kill_each_other, setup, teardown),
                cmocka_unit_test_setup_teardown(what_left_its_session_ends_with_the_last_program, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(what_stayed_in_its_session_ends_with_it, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_run_is_said_at_once, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
