/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Labels, wrapping and tones over a memory stream.
 *
 * Errors are looked at once, in page_take(): there is nothing that a writer of text could do about them in
 * the middle. Knows no jobs. */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/page.h"

/* No word is broken; narrower than this, wrapping does more harm than good. */
#define TEXT_COLUMNS_MIN 20

int page_open(Page *p, const Style *style) {
        *p = (Page){ .style = style };
        p->stream = open_memstream(&p->data, &p->size);
        return p->stream ? 0 : -ENOMEM;
}

void page_done(Page *p) {
        if (p->stream)
                (void) fclose(p->stream);
        free(p->data);
        *p = (Page){};
}

int page_take(Page *p, char **ret) {
        bool failed = p->failed || ferror(p->stream) != 0;

        if (fclose(TAKE_PTR(p->stream)) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(p->data);
        return 0;
}

static void put(Page *p, Tone tone, const char *text, size_t size) {
        fputs(style_on(p->style, tone), p->stream);
        fwrite(text, 1, size, p->stream);
        fputs(style_off(p->style, tone), p->stream);
}

static void put_blanks(Page *p, size_t n) {
        fprintf(p->stream, "%*s", (int) n, "");
}

/* What the character set can show of it; "" without memory. */
static const char *shown(Page *p, const char *text, char **storage) {
        if (style_text(p->style, text, storage) >= 0)
                return *storage;
        p->failed = true;
        return "";
}

void page_write(Page *p, Tone tone, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *storage = NULL;
        const char *s;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                p->failed = true;
                return;
        }
        s = shown(p, text, &storage);
        put(p, tone, s, strlen(s));
}

void page_column(Page *p, Tone tone, size_t width, const char *text) {
        _cleanup_free_ char *storage = NULL;
        const char *s = shown(p, text, &storage);
        size_t size = strlen(s), taken = style_width(p->style, s, size);

        put(p, tone, s, size);
        if (taken < width)
                put_blanks(p, width - taken);
}

/* The bytes of `s` that go into one line of `width` columns: whole words, at least one. */
static size_t line_size(const Style *style, const char *s, size_t width) {
        size_t best = 0;

        for (size_t i = 0;; i++) {
                if (s[i] != ' ' && s[i] != '\0')
                        continue;
                if (best > 0 && style_width(style, s, i) > width)
                        return best;
                best = i;
                if (s[i] == '\0')
                        return best;
        }
}

void page_wrapped(Page *p, size_t indent, Tone tone, const char *text) {
        _cleanup_free_ char *storage = NULL;
        const char *s = shown(p, text, &storage);
        size_t columns = p->style->columns, width = SIZE_MAX;

        if (columns > 0)
                width = columns > indent + TEXT_COLUMNS_MIN ? columns - indent : TEXT_COLUMNS_MIN;
        for (;;) {
                size_t n = width == SIZE_MAX ? strlen(s) : line_size(p->style, s, width);

                put(p, tone, s, n);
                fputc('\n', p->stream);
                s += n;
                s += strspn(s, " ");
                if (*s == '\0')
                        return;
                put_blanks(p, indent);
        }
}

void page_cut(Page *p, Tone tone, const char *text) {
        _cleanup_free_ char *storage = NULL;
        const char *s = shown(p, text, &storage);
        size_t size = strlen(s), columns = p->style->columns;

        while (columns > 0 && size > 0 && style_width(p->style, s, size) > columns) {
                size--;
                while (size > 0 && ((unsigned char) s[size] & 0xc0) == 0x80)
                        size--;
        }
        put(p, tone, s, size);
        fputc('\n', p->stream);
}

void page_field(Page *p, const char *label, Tone tone, const char *text) {
        if (label)
                fprintf(p->stream, "%*s: ", PAGE_LABEL, label);
        else
                put_blanks(p, PAGE_LABEL + 2);
        page_wrapped(p, PAGE_LABEL + 2, tone, text);
}

void page_take_field(Page *p, const char *label, Tone tone, int r, char *text) {
        if (r < 0)
                p->failed = true;
        else
                page_field(p, label, tone, text);
        free(text);
}
