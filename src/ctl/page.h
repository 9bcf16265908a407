/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text for people under construction: labelled, wrapped, toned. Ends as one string. */

#include <stdio.h>

#include "base/macro.h"
#include "ctl/style.h"

typedef struct Page {
        const Style *style;
        FILE *stream;
        char *data;
        size_t size;
        bool failed; /* out of memory on the way; page_take() says so */
} Page;

int page_open(Page *p, const Style *style);
void page_done(Page *p);
/* What was written. Returns 0, or -ENOMEM if anything on the way failed. */
int page_take(Page *p, char **ret);

/* As printf, in the character set of the style. */
void page_write(Page *p, Tone tone, const char *format, ...) _printf_(3, 4);
/* The same, filled up with blanks to `width` columns. */
void page_column(Page *p, Tone tone, size_t width, const char *text);

/* "     Label: text", the text wrapped at words to the width of the style and indented below itself. A label
 * of NULL continues the field above. */
#define PAGE_LABEL 9
void page_field(Page *p, const char *label, Tone tone, const char *text);
/* A field whose text was made for it: `r` is what that returned; without memory the page fails. Consumes the
 * text. */
void page_take_field(Page *p, const char *label, Tone tone, int r, char *text);
/* One line, cut where the width ends. */
void page_cut(Page *p, Tone tone, const char *text);
/* Text that begins after `indent` columns, which are written already, wrapped; ends the line. */
void page_wrapped(Page *p, size_t indent, Tone tone, const char *text);
