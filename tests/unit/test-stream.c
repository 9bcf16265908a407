/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes through a pipe is whole, bounded, and a secret. */

#include <signal.h>
#include <sys/wait.h>

#include "base/stream.h"
#include "unit.h"

#define BIG (300 * 1024)

static void open_pipe(int ret[static 2]) {
        assert_int_equal(pipe2(ret, O_CLOEXEC), 0);
}

static void what_comes_in_pieces_is_read_to_the_end(void **state) {
        _cleanup_secret_ Secret *s = NULL;
        int fds[2];

        open_pipe(fds);
        assert_int_equal(write(fds[1], "quay.example", 12), 12);
        assert_int_equal(write(fds[1], ".com\n", 5), 5);
        close(fds[1]);
        assert_int_equal(stream_read(fds[0], 17, &s), 0);
        assert_int_equal(secret_size(s), 17);
        assert_string_equal(secret_peek(s).iov_base, "quay.example.com\n");
        close(fds[0]);
}

static void one_byte_too_much_is_refused(void **state) {
        Secret *s = NULL;
        int fds[2];

        open_pipe(fds);
        assert_int_equal(write(fds[1], "12345678", 8), 8);
        close(fds[1]);
        assert_int_equal(stream_read(fds[0], 7, &s), -EFBIG);
        assert_null(s);
        close(fds[0]);
}

static void nothing_is_an_empty_secret(void **state) {
        _cleanup_secret_ Secret *s = NULL;
        int fds[2];

        open_pipe(fds);
        close(fds[1]);
        assert_int_equal(stream_read(fds[0], 7, &s), 0);
        assert_non_null(s);
        assert_int_equal(secret_size(s), 0);
        close(fds[0]);
}

static void what_cannot_be_read_is_an_error(void **state) {
        Secret *s = NULL;

        assert_int_equal(stream_read(-EBADF, 7, &s), -EBADF);
        assert_null(s);
}

/* More than a pipe holds, so that write(2) takes it in pieces. */
static void all_of_it_is_written(void **state) {
        _cleanup_secret_ Secret *sent = NULL, *got = NULL;
        int fds[2], status;
        pid_t child;

        assert_int_equal(secret_new_zero(BIG, &sent), 0);
        for (size_t i = 0; i < BIG; i++)
                ((char *) secret_writable(sent).iov_base)[i] = (char) (i * 7 + i / 251);
        open_pipe(fds);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                close(fds[0]);
                _exit(stream_write(fds[1], sent) == 0 ? 0 : 1);
        }
        close(fds[1]);
        assert_int_equal(stream_read(fds[0], BIG, &got), 0);
        assert_true(secret_equal(sent, got));
        close(fds[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static void a_reader_that_went_is_an_error(void **state) {
        _cleanup_secret_ Secret *s = NULL;
        int fds[2];

        (void) signal(SIGPIPE, SIG_IGN);
        assert_int_equal(secret_new_string("x", &s), 0);
        open_pipe(fds);
        close(fds[0]);
        assert_int_equal(stream_write(fds[1], s), -EPIPE);
        close(fds[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_comes_in_pieces_is_read_to_the_end),
                cmocka_unit_test(one_byte_too_much_is_refused),
                cmocka_unit_test(nothing_is_an_empty_secret),
                cmocka_unit_test(what_cannot_be_read_is_an_error),
                cmocka_unit_test(all_of_it_is_written),
                cmocka_unit_test(a_reader_that_went_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
