/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the layout of an auth.json off what stands in it.
 *
 * Owns the default, which is podman's: tabs, a blank behind the colon, no newline at the end. Looks at
 * blanks only and never at values; where the file shows no habit, or an absurd one, it falls back level by
 * level. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/auth-style.h"

/* A newline and so much indentation as one level has. */
typedef struct Indent {
        char newline[3];
        char unit[AUTH_BLANKS_MAX + 1];
} Indent;

static size_t span_end(JsonSpan s) {
        return s.offset + s.size;
}

static bool is_blank(char c) {
        return c != '\0' && strchr(WHITESPACE, c);
}

static void copy_span(char *to, const char *text, size_t from, size_t end) {
        if (end - from > AUTH_BLANKS_MAX)
                return;
        memcpy(to, text + from, end - from);
        to[end - from] = '\0';
}

/* The blanks in front of a key. */
static void copy_open(char *to, const char *text, const JsonMember *m) {
        size_t from = m->key.offset;

        while (is_blank(text[from - 1]))
                from--;
        copy_span(to, text, from, m->key.offset);
}

static void copy_colon(char *to, const char *text, const JsonMember *m) {
        copy_span(to, text, span_end(m->key), m->value.offset);
}

/* Overwrites what the members of an object tell; an empty one tells nothing. */
static void detect_object(AuthObjectStyle *style, const char *text, const JsonMembers *members) {
        const JsonMember *last;

        if (members->n_items == 0)
                return;
        last = members->items + members->n_items - 1;
        copy_open(style->open, text, last);
        copy_colon(style->colon, text, last);
        copy_span(style->close, text, span_end(last->value), span_end(members->object) - 1);
}

/* Takes newline and indentation, which is that of `depth` levels, from the blanks in front of a key. Returns
 * false if there is no newline in them. */
static bool indent_detect(Indent *ret, const char *open, size_t depth) {
        const char *newline = strrchr(open, '\n');

        if (!newline)
                return false;
        *ret = (Indent){ .newline = "\n" };
        if (newline > open && newline[-1] == '\r')
                *ret = (Indent){ .newline = "\r\n" };
        copy_span(ret->unit, newline, 1, 1 + strlen(newline + 1) / depth);
        return true;
}

static void set_blanks(char *to, const Indent *i, unsigned depth) {
        to[0] = '\0';
        if (i)
                (void) snprintf(to, sizeof((AuthObjectStyle){}.open), "%s%s%s%s", i->newline,
                                depth > 0 ? i->unit : "", depth > 1 ? i->unit : "",
                                depth > 2 ? i->unit : "");
}

/* Lays out the levels from `depth` on: with that indentation, or in one line for NULL. */
static void set_levels(AuthStyle *s, unsigned depth, const Indent *i, const char *colon) {
        AuthObjectStyle *levels[] = { &s->top, &s->entries, &s->entry };

        for (; depth < ELEMENTSOF(levels); depth++) {
                set_blanks(levels[depth]->open, i, depth + 1);
                set_blanks(levels[depth]->close, i, depth);
                (void) snprintf(levels[depth]->colon, sizeof(levels[depth]->colon), "%s", colon);
        }
}

/* From the last entry that is an object with something in it. */
static int detect_entry(AuthObjectStyle *style, const char *text, const JsonMembers *entries) {
        for (size_t i = entries->n_items; i > 0; i--) {
                JsonMembers inner = {};
                bool found;
                int r;

                r = json_text_members(text, entries->items[i - 1].value, &inner);
                if (r == -ENOMEM)
                        return r;
                found = inner.n_items > 0;
                detect_object(style, text, &inner);
                json_members_done(&inner);
                if (found)
                        return 0;
        }
        return 0;
}

int auth_style_detect(AuthStyle *ret, const char *text, const JsonMembers *top, const JsonMembers *entries) {
        Indent indent = { "\n", "\t" };
        AuthStyle s;

        set_levels(&s, 0, &indent, ": ");
        if (top->n_items > 0) {
                detect_object(&s.top, text, top);
                set_levels(&s, 1, indent_detect(&indent, s.top.open, 1) ? &indent : NULL, s.top.colon);
        }
        if (entries && entries->n_items > 0) {
                int r;

                detect_object(&s.entries, text, entries);
                set_levels(&s, 2, indent_detect(&indent, s.entries.open, 2) ? &indent : NULL,
                           s.entries.colon);
                r = detect_entry(&s.entry, text, entries);
                if (r < 0)
                        return r;
        }
        *ret = s;
        return 0;
}
