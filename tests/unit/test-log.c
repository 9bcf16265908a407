/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Log entries: lines on stderr with and without a prefix, messages to the journal, and what a level lets
 * through. */

#include <errno.h>
#include <pty.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/text.h"
#include "child.h"

#define JOURNAL "/run/systemd/journal/socket"
#define ID "e471e1348f72418bad4036aeac0de212"

typedef struct Run {
        void (*f)(void);
        const char *level;      /* $PULLAUTH_LOG_LEVEL */
        const char *invocation; /* $INVOCATION_ID */
        const char *stream;     /* $JOURNAL_STREAM, "here" for what stderr is */
        int fd;                 /* to become stderr */
} Run;

static void set_or_unset(const char *name, const char *value) {
        if (value)
                setenv(name, value, 1);
        else
                unsetenv(name);
}

static int run_logging(void *argument) {
        const Run *run = argument;
        char here[64];
        struct stat st;

        if (dup2(run->fd, STDERR_FILENO) < 0 || fstat(STDERR_FILENO, &st) < 0)
                return 255;
        snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        set_or_unset("PULLAUTH_LOG_LEVEL", run->level);
        set_or_unset("INVOCATION_ID", run->invocation);
        set_or_unset("JOURNAL_STREAM", run->stream && streq(run->stream, "here") ? here : run->stream);
        log_setup();
        run->f();
        return 0;
}

/* What `run` writes to a stderr that is a pipe. */
static const char *logged(Run run) {
        static char text[65536];
        size_t used = 0;
        int ends[2];
        ssize_t n;

        assert_int_equal(pipe(ends), 0);
        run.fd = ends[1];
        assert_int_equal(exit_of_child(run_logging, &run), 0);
        close(ends[1]);
        while ((n = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0)
                used += (size_t) n;
        close(ends[0]);
        text[used] = '\0';
        return text;
}

static void one_of_each(void) {
        log_error("1");
        log_warning("2");
        log_notice("3");
        log_info("4");
        log_debug("5");
}

static void one_of_each_when_configured(void) {
        log_configure_level(LOG_DEBUG);
        one_of_each();
}

static void the_environment_counts_before_the_configuration(void **state) {
        assert_string_equal(logged((Run){ .f = one_of_each_when_configured }), "1\n2\n3\n4\n5\n");
        assert_string_equal(logged((Run){ .f = one_of_each_when_configured, .level = "err" }), "1\n");
        assert_string_equal(logged((Run){ .f = one_of_each_when_configured, .level = "" }),
                            "PULLAUTH_LOG_LEVEL='' is no log level, using 'info'\n1\n2\n3\n4\n5\n");
        assert_int_equal(log_level_from_string("crit"), LOG_CRIT);
        assert_int_equal(log_level_from_string("8"), -EINVAL);
        assert_int_equal(log_level_from_string("-1"), -EINVAL);
}

static void the_level_decides_what_is_written(void **state) {
        static const struct {
                const char *level, *wanted;
        } cases[] = {
                { NULL, "1\n2\n3\n4\n" },
                { "debug", "1\n2\n3\n4\n5\n" },
                { "7", "1\n2\n3\n4\n5\n" },
                { "6", "1\n2\n3\n4\n" },
                { "Warning", "1\n2\n" },
                { "3", "1\n" },
                { "err", "1\n" },
                { "emerg", "" },
                { "0", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_string_equal(logged((Run){ one_of_each, .level = cases[i].level }), cases[i].wanted);
}

static void a_level_that_is_none_is_told_and_info_is_used(void **state) {
        static const char *const bad[] = { "", "8", "-1", "verbose", "info " };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                const char *text = logged((Run){ one_of_each, .level = bad[i] });

                assert_non_null(strstr(text, "PULLAUTH_LOG_LEVEL"));
                assert_non_null(endswith(text, "\n1\n2\n3\n4\n"));
        }
}

static void services_get_priorities_unless_on_a_terminal(void **state) {
        Run run = { one_of_each, .level = "debug", .invocation = "0123" };
        char text[256] = {};
        size_t used = 0;
        int primary, secondary;
        ssize_t n;

        assert_string_equal(logged(run), "<3>1\n<4>2\n<5>3\n<6>4\n<7>5\n");
        run.invocation = NULL;
        assert_string_equal(logged(run), "1\n2\n3\n4\n5\n");

        run.invocation = "0123";
        assert_int_equal(openpty(&primary, &secondary, NULL, NULL, NULL), 0);
        run.fd = secondary;
        assert_int_equal(exit_of_child(run_logging, &run), 0);
        while (used < 15 && (n = read(primary, text + used, sizeof(text) - 1 - used)) > 0)
                used += (size_t) n;
        assert_string_equal(text, "1\r\n2\r\n3\r\n4\r\n5\r\n");
        close(primary);
        close(secondary);
}

static void another_journal_stream_is_not_ours(void **state) {
        assert_string_equal(logged((Run){ one_of_each, .level = "err", .stream = "1:2" }), "1\n");
        assert_string_equal(logged((Run){ one_of_each, .level = "err", .stream = "" }), "1\n");
}

static void log_results(void) {
        errno = EBUSY;
        if (log_error_errno(-ENOENT, "one: %m") != -ENOENT || errno != EBUSY)
                log_error("wrong");
        if (log_warning_errno(EACCES, "two: %m") != -EACCES || log_oom() != -ENOMEM || log_info("x") != 0)
                log_error("wrong");
        /* Below the level as well. */
        if (log_full(LOG_DEBUG, -EIO, NULL, NULL, 0, "not seen") != -EIO || errno != EBUSY)
                log_error("wrong");
}

static void the_error_is_returned_negative_and_printed_by_percent_m(void **state) {
        assert_string_equal(logged((Run){ log_results }),
                            "one: No such file or directory\ntwo: Permission denied\nOut of memory\nx\n");
}

static void log_forgery(void) {
        log_info("user '%s'", "a\n<2>forged\r\x1b[2J\x7f"
                              "b");
}

static void an_entry_is_one_line_whatever_is_in_it(void **state) {
        assert_string_equal(logged((Run){ log_forgery, .invocation = "0123" }),
                            "<6>user 'a <2>forged  [2J b'\n");
}

static void log_no_text(void) {
        log_info("file '%s'", "\xc3\xa4\xff.conf");
        log_info("file '%s'", "\xc3\xa4.conf");
        log_info("file '%s'", "\xc2\x9b"
                              "2J\xe2\x80\xae\xef\xbf\xbe.conf");
}

static void what_is_no_text_is_made_one(void **state) {
        assert_string_equal(logged((Run){ log_no_text }),
                            "file '\xc3\xa4?.conf'\nfile '\xc3\xa4.conf'\nfile '  2J   ??\?.conf'\n");
}

static void log_too_much(void) {
        char many[20000] = {};

        for (size_t i = 0; i < sizeof(many) - 1; i++)
                many[i] = 'x';
        log_info("%s", many);
        log_info("next");
}

static void an_entry_that_is_too_long_is_cut_and_ends_its_line(void **state) {
        const char *text = logged((Run){ log_too_much });

        assert_int_equal(strspn(text, "x"), 4095);
        assert_string_equal(text + 4095, "\nnext\n");
}

static void log_with_fields(void) {
        const LogField fields[] = {
                { "PULLAUTH_JOB", "edge" },
                { "PULLAUTH_ROBOT", NULL },
                { "PULLAUTH_HINT", "two\nlines" },
        };

        log_full(LOG_WARNING, -ENOENT, ID, fields, ELEMENTSOF(fields), "Job 'edge' failed:\n%m");
}

static void without_a_journal_fields_are_left_out(void **state) {
        assert_string_equal(logged((Run){ log_with_fields }),
                            "Job 'edge' failed: No such file or directory\n");
}

static void log_without_fields(void) {
        log_info("plain");
}

static bool write_text(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

/* A mount namespace; who is not root gets one as root of a user namespace. */
static bool enter_namespace(void) {
        char users[64], groups[64];

        if (unshare(CLONE_NEWNS) == 0)
                return true;
        snprintf(users, sizeof(users), "0 %u 1", geteuid());
        snprintf(groups, sizeof(groups), "0 %u 1", getegid());
        return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/uid_map", users) &&
               write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", groups);
}

/* A journal of our own, seen by this child alone. Returns its socket, or ends the child with 77. */
static int bind_journal(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL };
        int fd;

        if (!enter_namespace() || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
                _exit(77);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0 || fd < 0 ||
            bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                _exit(254);
        return fd;
}

static bool holds(const char *data, size_t size, const char *part, size_t part_size) {
        return memmem(data, size, part, part_size) != NULL;
}

#define HOLDS(part) holds(entry, (size_t) n, part, sizeof(part) - 1)

/* 0, or the number of what is wrong. */
static int log_to_journal(void *argument) {
        int journal = bind_journal(), ends[2];
        char entry[4096];
        Run run = { log_with_fields, .stream = "here", .invocation = "0123" };
        ssize_t n;

        if (pipe2(ends, O_NONBLOCK) < 0)
                return 253;
        run.fd = ends[1];
        if (run_logging(&run) != 0)
                return 252;
        n = recv(journal, entry, sizeof(entry), 0);
        if (n <= 0)
                return 1;
        if (!HOLDS("MESSAGE=Job 'edge' failed: No such file or directory\n") || !HOLDS("PRIORITY=4\n"))
                return 2;
        if (!HOLDS("MESSAGE_ID=" ID "\n") || !HOLDS("ERRNO=2\n") || !HOLDS("PULLAUTH_JOB=edge\n"))
                return 3;
        if (!HOLDS("PULLAUTH_HINT\n\x09\0\0\0\0\0\0\0two\nlines\n"))
                return 4;
        if (HOLDS("ROBOT") || HOLDS("CODE_FILE"))
                return 5;
        run.f = log_without_fields;
        if (run_logging(&run) != 0)
                return 251;
        n = recv(journal, entry, sizeof(entry), 0);
        if (n <= 0 || !HOLDS("MESSAGE=plain\n") || !HOLDS("PRIORITY=6\n"))
                return 6;
        if (HOLDS("ERRNO") || HOLDS("MESSAGE_ID"))
                return 7;
        if (recv(journal, entry, sizeof(entry), 0) >= 0)
                return 8;
        return read(ends[0], entry, 1) >= 0 ? 9 : 0;
}

static void the_journal_gets_one_message_with_all_fields(void **state) {
        int status = exit_of_child(log_to_journal, NULL);

        if (status == 77)
                skip(); /* no mount namespace to be had */
        assert_int_equal(status, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_level_decides_what_is_written),
                cmocka_unit_test(the_environment_counts_before_the_configuration),
                cmocka_unit_test(a_level_that_is_none_is_told_and_info_is_used),
                cmocka_unit_test(services_get_priorities_unless_on_a_terminal),
                cmocka_unit_test(another_journal_stream_is_not_ours),
                cmocka_unit_test(the_error_is_returned_negative_and_printed_by_percent_m),
                cmocka_unit_test(an_entry_is_one_line_whatever_is_in_it),
                cmocka_unit_test(what_is_no_text_is_made_one),
                cmocka_unit_test(an_entry_that_is_too_long_is_cut_and_ends_its_line),
                cmocka_unit_test(without_a_journal_fields_are_left_out),
                cmocka_unit_test(the_journal_gets_one_message_with_all_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
