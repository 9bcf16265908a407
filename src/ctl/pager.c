/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starts a pager, gives it a text, waits for its end.
 *
 * Owns the choice of the pager and how less is told to behave: it ends by itself when the text fits, and
 * leaves the screen as it is. Where this tool may run with more rights than its user has (sudo), only less
 * in its secure mode is started, for a pager can run commands and read files. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/scalar.h"
#include "base/text.h"
#include "ctl/pager.h"
#include "ctl/program.h"

#define LESS_OPTIONS "FRSXMK"

/* $SYSTEMD_PAGERSECURE says so, or that it is not; unset: whoever came here by sudo and the like. */
static bool is_secure(void) {
        const char *e = getenv("SYSTEMD_PAGERSECURE");

        if (e)
                return parse_bool(e) != 0;
        return geteuid() != getuid() || getenv("SUDO_UID") || getenv("PKEXEC_UID");
}

/* NULL: none was chosen; "": none is wanted. */
static const char *chosen(void) {
        const char *e = getenv("SYSTEMD_PAGER");

        if (!e)
                e = getenv("PAGER");
        return e && (streq(e, "cat") || e[strspn(e, WHITESPACE)] == '\0') ? "" : e;
}

/* What less is told, as changes of the environment. */
static int less_environment(const Style *style, bool secure, char ***ret) {
        const char *options = getenv("SYSTEMD_LESS"), *charset = getenv("SYSTEMD_LESSCHARSET");
        _cleanup_free_ char *less = NULL, *less_charset = NULL;
        _cleanup_strv_ char **l = NULL;
        int r;

        if (!charset && style->utf8)
                charset = "utf-8";
        r = text_format(&less, "LESS=%s", options ?: LESS_OPTIONS);
        if (r >= 0)
                r = strv_append(&l, less);
        if (r >= 0 && charset)
                r = text_format(&less_charset, "LESSCHARSET=%s", charset);
        if (r >= 0 && less_charset)
                r = strv_append(&l, less_charset);
        if (r >= 0)
                r = strv_append(&l, secure ? "LESSSECURE=1" : "LESSSECURE");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

/* The one that was chosen, or the first that there is. */
static int start(const Style *style, const char *command, int input_fd, pid_t *ret_pid) {
        static const char *const candidates[] = { "pager", "less", "more" };
        _cleanup_strv_ char **environment = NULL, **words = NULL;
        bool secure = is_secure();
        int r;

        r = less_environment(style, secure, &environment);
        if (r >= 0 && command && !secure)
                r = strv_split_words(command, &words);
        if (r < 0)
                return r;
        r = -ENOENT;
        if (words)
                r = program_start(&(Program){ words, environment, input_fd }, ret_pid);
        for (size_t i = 0; i < ELEMENTSOF(candidates) && r < 0; i++) {
                char *const one[] = { (char *) candidates[i], NULL };

                if (!secure || streq(candidates[i], "less"))
                        r = program_start(&(Program){ one, environment, input_fd }, ret_pid);
        }
        return r;
}

/* The other end may be gone: whoever leaves a pager early has seen enough. */
static void feed(int fd, const char *text) {
        size_t size = strlen(text);

        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return;
                text += n;
                size -= (size_t) n;
        }
}

int pager_show(const Style *style, const char *text) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        const char *command = chosen();
        pid_t pid = 0;
        int fds[2];

        if (isatty(STDOUT_FILENO) != 1 || (command && isempty(command)) || isempty(text))
                return 0;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return 0;
        read_fd = fds[0];
        write_fd = fds[1];
        if (start(style, command, read_fd, &pid) < 0)
                return 0;
        closep(&read_fd);
        read_fd = -EBADF;
        feed(write_fd, text);
        closep(&write_fd);
        write_fd = -EBADF;
        (void) program_wait(pid);
        return 1;
}
