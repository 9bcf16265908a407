/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A terminal as a picture that is drawn again and again, and given back as it was. */

#include <termios.h>

#include "ctl/style.h"

typedef struct Screen {
        bool open;
        bool keys; /* standard input gives single characters, unseen */
        struct termios before;
        unsigned rows, columns;
} Screen;

/* Whether standard output is a terminal that can do it. */
bool screen_is_possible(void);
void screen_open(Screen *s);
void screen_close(Screen *s);
/* Its size at this moment. */
void screen_measure(Screen *s);
/* As much of the text as fits, from its beginning. */
void screen_draw(const Screen *s, const char *text);
