/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The other screen of a terminal, the one that leaves no trace in its history.
 *
 * Owns the state of the terminal while it is open. Each picture overwrites the one before line by line, and
 * clears only what is left over, so that nothing flickers. */

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/screen.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

bool screen_is_possible(void) {
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) == 1 && !isempty(term) && !streq(term, "dumb");
}

void screen_measure(Screen *s) {
        struct winsize w = {};

        (void) ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
        s->rows = w.ws_row > 0 ? w.ws_row : 24;
        s->columns = w.ws_col > 0 ? w.ws_col : 80;
}

void screen_open(Screen *s) {
        struct termios single;

        s->open = true;
        screen_measure(s);
        fputs(OTHER_SCREEN, stdout);
        (void) fflush(stdout);
        if (isatty(STDIN_FILENO) != 1 || tcgetattr(STDIN_FILENO, &s->before) < 0)
                return;
        single = s->before;
        single.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        s->keys = tcsetattr(STDIN_FILENO, TCSADRAIN, &single) >= 0;
}

void screen_close(Screen *s) {
        if (!s->open)
                return;
        if (s->keys)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
        fputs(FIRST_SCREEN, stdout);
        (void) fflush(stdout);
        s->open = s->keys = false;
}

void screen_draw(const Screen *s, const char *text) {
        fputs(HOME, stdout);
        for (unsigned row = 0; row < s->rows && *text; row++) {
                size_t n = strcspn(text, "\n");

                fwrite(text, 1, n, stdout);
                fputs(CLEAR_LINE, stdout);
                /* No newline behind the last row: it would scroll. */
                if (row + 1 < s->rows)
                        fputc('\n', stdout);
                text += n + (text[n] == '\n');
        }
        fputs(CLEAR_BELOW, stdout);
        (void) fflush(stdout);
}
