/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One line from the terminal.
 *
 * Read by read(2): what is typed goes through no buffer of stdio, so that a secret is nowhere but in its
 * Secret. The terminal gets its echo back however the reading ends: while it has none, ^C is a character
 * that ends the line, and a request to end waits. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "ctl/ask.h"

#define LINE_SIZE 4096

#define INTERRUPT 0x03 /* ^C */

/* Up to a newline, without it. Returns its size, -E2BIG, -ECANCELED for ^C, -ENODATA at the end of input. */
static ssize_t read_line(char line[static LINE_SIZE]) {
        size_t size = 0;

        for (;;) {
                ssize_t n = read(STDIN_FILENO, line + size, 1);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        return size > 0 ? (ssize_t) size : -ENODATA;
                if (line[size] == '\n')
                        return (ssize_t) size;
                if (line[size] == INTERRUPT)
                        return -ECANCELED;
                if (++size == LINE_SIZE)
                        return -E2BIG;
        }
}

/* `n` is what read_line() said. */
static int take_line(const char line[static LINE_SIZE], ssize_t n, Secret **ret) {
        return n > 0 ? secret_new(line, (size_t) n, ret) : n < 0 ? (int) n : -ENODATA;
}

int ask_yes(const char *question) {
        char line[LINE_SIZE];
        ssize_t n;

        if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
                return -ENXIO;
        (void) fflush(stdout);
        fprintf(stderr, "%s [y/N] ", question);
        n = read_line(line);
        if (n < 0)
                fputc('\n', stderr);
        return n > 0 && (line[0] == 'y' || line[0] == 'Y');
}

int ask_secret(const char *prompt, Secret **ret) {
        struct termios shown, hidden;
        sigset_t end, before;
        char line[LINE_SIZE];
        ssize_t n;
        int r;

        if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1 || tcgetattr(STDIN_FILENO, &shown) < 0)
                return -ENXIO;
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t) (ECHO | ISIG);
        hidden.c_cc[VEOL] = INTERRUPT;
        (void) fflush(stdout);
        sigemptyset(&end);
        sigaddset(&end, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &end, &before);
        /* Before the prompt: who answers at once shall neither be seen nor lost. */
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        fprintf(stderr, "%s: ", prompt);
        n = read_line(line);
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        fputc('\n', stderr);
        r = take_line(line, n, ret);
        explicit_bzero(line, sizeof(line));
        return r;
}

int ask_input(Secret **ret) {
        char line[LINE_SIZE];
        ssize_t n = read_line(line);
        int r;

        r = take_line(line, n, ret);
        explicit_bzero(line, sizeof(line));
        return r;
}
