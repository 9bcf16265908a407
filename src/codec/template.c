/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Texts with specifiers: what they say, and what they become.
 *
 * Owns a template as a flat list of parts, spans of its text each. It is rendered twice, once to count and
 * once to write, so that no buffer with secrets in it ever grows and leaves a copy behind. Knows no
 * specifier but the percent sign; refuses to guess what a text means that is cut off or askew. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/template.h"

typedef enum PartKind {
        PART_TEXT,
        PART_VALUE,
        PART_VARIABLE,
        PART_LOOP, /* up to its PART_END, with a PART_SEPARATOR in it or not */
        PART_SEPARATOR,
        PART_END,
} PartKind;

typedef struct Part {
        PartKind kind;
        size_t offset, size;   /* in the text; of a variable: its name */
        QuotingPlace place;    /* of values and variables */
        char letter;           /* of values, and what opens a loop */
        size_t end;            /* of loops: the index of their end */
        char *name, *fallback; /* of variables; the fallback may be NULL */
} Part;

struct Template {
        QuotingLanguage language;
        char *text;
        size_t size;
        Part *parts;
        size_t n_parts;
};

Template *template_free(Template *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_parts; i++) {
                free(t->parts[i].name);
                free(t->parts[i].fallback);
        }
        free(t->parts);
        free(t->text);
        free(t);
        return NULL;
}

/* Says where, and returns -EBADMSG. */
static int fail_at(const Template *t, size_t offset, const char *which, size_t which_size, const char *what,
                   TemplateError *reterr) {
        *reterr = (TemplateError){ .line = 1, .column = 1 };
        for (size_t i = 0; i < offset; i++) {
                reterr->column = t->text[i] == '\n' ? 1 : reterr->column + 1;
                reterr->line += t->text[i] == '\n';
        }
        (void) snprintf(reterr->what, sizeof(reterr->what), "%s", what);
        if (which_size < sizeof(reterr->which) && text_is_utf8(which, which_size))
                (void) snprintf(reterr->which, sizeof(reterr->which), "%.*s", (int) which_size, which);
        return -EBADMSG;
}

static int fail_part(const Template *t, const Part *p, const char *what, TemplateError *reterr) {
        return fail_at(t, p->offset, t->text + p->offset, p->size, what, reterr);
}

/* What is known while a text is read. */
typedef struct Reader {
        Template *t;
        QuotingState state;
        QuotingState skipped;  /* the same if the last loop never came */
        QuotingState at_loop;  /* where the loop that is open began */
        QuotingState at_piece; /* and where its text ended, if `is_separated` */
        size_t loop;           /* the index of that, if `is_open` */
        bool is_open, is_separated;
        TemplateError *reterr;
} Reader;

static int add_part(Reader *r, const Part *p) {
        Template *t = r->t;
        Part *grown;

        grown = reallocarray(t->parts, t->n_parts + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        t->parts = grown;
        grown[t->n_parts++] = *p;
        return 0;
}

static int add_text(Reader *r, size_t from, size_t to) {
        if (from >= to)
                return 0;
        quoting_advance(r->t->language, &r->state, r->t->text + from, to - from);
        quoting_advance(r->t->language, &r->skipped, r->t->text + from, to - from);
        return add_part(r, &(Part){ .kind = PART_TEXT, .offset = from, .size = to - from });
}

/* A blank, a mark of the language, or an end is behind what stands up to `end`. */
static bool is_followed_by_end(const Template *t, size_t end) {
        return end == t->size || strchr(WHITESPACE "]},", t->text[end]) ||
               (t->text[end] == '%' && end + 1 < t->size && strchr("])|", t->text[end + 1]));
}

static bool is_joined(const Template *t, const QuotingState *s, size_t end) {
        return quoting_has_words(t->language) && (s->word || s->plain || !is_followed_by_end(t, end));
}

/* What is read from here on must not depend on how often the loop in front of it comes. */
static int check_skipped(const Reader *r, size_t at, size_t size) {
        if (quoting_state_equal(r->t->language, &r->state, &r->skipped))
                return 0;
        return fail_at(r->t, at, r->t->text + at, size,
                       "it touches the loop in front of it, which may never come: add a blank", r->reterr);
}

static int add_place(Reader *r, Part *p, size_t end) {
        int n;

        n = check_skipped(r, p->offset, p->size);
        if (n < 0)
                return n;
        if (r->state.lost)
                return fail_part(r->t, p,
                                 "quotes or a $ in front of it are not understood: write ${NAME} for $NAME, "
                                 "quote all of it, or write this earlier",
                                 r->reterr);
        if (r->state.escaped)
                return fail_part(r->t, p, "the backslash in front of it would change it", r->reterr);
        p->place.context = r->state.context;
        p->place.joined = is_joined(r->t, &r->state, end);
        quoting_advance_value(&r->state);
        r->skipped = r->state;
        return add_part(r, p);
}

bool template_variable_is_valid(const char *s) {
        for (const char *c = s; *c; c++)
                if (!((*c >= 'a' && *c <= 'z') ||
                      (c > s && ((*c >= '0' && *c <= '9') || *c == '-' || *c == '_'))))
                        return false;
        return *s;
}

/* "%{name}" or "%{name:else}"; *pos is at the percent sign. */
static int read_variable(Reader *r, size_t *pos) {
        const char *start = r->t->text + *pos, *close = memchr(start, '}', r->t->size - *pos),
                   *line = memchr(start, '\n', r->t->size - *pos), *colon;
        Part p = { .kind = PART_VARIABLE, .offset = *pos };
        int n;

        if (!close || (line && line < close))
                return fail_at(r->t, *pos, "%{", 2, "the closing brace is missing", r->reterr);
        p.size = (size_t) (close + 1 - start);
        colon = memchr(start, ':', p.size);
        p.name = strndup(start + 2, (size_t) ((colon ?: close) - start) - 2);
        if (colon)
                p.fallback = strndup(colon + 1, (size_t) (close - colon) - 1);
        if (!p.name || (colon && !p.fallback))
                n = -ENOMEM;
        else if (!template_variable_is_valid(p.name))
                n = fail_part(r->t, &p, "a variable's name is small letters, digits, '-' and '_'",
                              r->reterr);
        else
                n = add_place(r, &p, *pos + p.size);
        if (n < 0) {
                free(p.name);
                free(p.fallback);
                return n;
        }
        *pos += p.size;
        return 0;
}

/* If nothing but blanks is on the line of the mark at `mark`: its first byte, and the one behind its end. */
static bool stands_alone(const Template *t, size_t mark, size_t *ret_from, size_t *ret_to) {
        size_t from = mark, to = mark + 2;

        while (from > 0 && strchr(" \t", t->text[from - 1]))
                from--;
        while (to < t->size && strchr(" \t\r", t->text[to]))
                to++;
        if ((from > 0 && t->text[from - 1] != '\n') || (to < t->size && t->text[to] != '\n'))
                return false;
        *ret_from = from;
        *ret_to = to < t->size ? to + 1 : to;
        return true;
}

static int open_loop(Reader *r, size_t mark, char letter) {
        int n;

        if (r->is_open)
                return fail_at(r->t, mark, r->t->text + mark, 2, "there are no loops in loops", r->reterr);
        n = check_skipped(r, mark, 2);
        if (n < 0)
                return n;
        r->is_open = true;
        r->is_separated = false;
        r->at_loop = r->state;
        r->loop = r->t->n_parts;
        return add_part(r, &(Part){ .kind = PART_LOOP, .offset = mark, .size = 2, .letter = letter });
}

/* Whether another turn, which begins as the first one ended, has its values in the same places as that, and
 * ends in the same way. */
static bool is_read_again(const Reader *r) {
        const Template *t = r->t;
        QuotingState s = r->state;

        for (size_t i = r->loop + 1; i < t->n_parts; i++) {
                const Part *p = t->parts + i;

                if (p->kind == PART_TEXT)
                        quoting_advance(t->language, &s, t->text + p->offset, p->size);
                if (p->kind != PART_VALUE && p->kind != PART_VARIABLE)
                        continue;
                if (s.lost || s.escaped || s.context != p->place.context ||
                    is_joined(t, &s, p->offset + p->size) != p->place.joined)
                        return false;
                quoting_advance_value(&s);
        }
        return quoting_state_equal(t->language, &s, &r->state);
}

/* The end of a loop's text, or of what comes between two. */
static int close_piece(Reader *r, size_t mark, char letter) {
        const char *text = r->t->text + mark;
        char opened;
        int n;

        if (!r->is_open)
                return fail_at(r->t, mark, text, 2, "it is in no loop", r->reterr);
        opened = r->t->parts[r->loop].letter;
        if (letter != '|' && letter != (opened == '[' ? ']' : ')'))
                return fail_at(r->t, mark, text, 2, "the loop was opened by the other kind of mark",
                               r->reterr);
        if (letter == '|' && r->is_separated)
                return fail_at(r->t, mark, text, 2, "it is there already in this loop", r->reterr);
        if (!quoting_state_alike(&r->state, &r->at_loop))
                return fail_at(r->t, mark, text, 2,
                               "quotes are not closed in the loop, or not understood: close them, write "
                               "${NAME} for $NAME",
                               r->reterr);
        if (letter != '|' && !is_read_again(r))
                return fail_at(
                        r->t, mark, text, 2,
                        "another turn would be read in another way: put the loop between quotes, or a "
                        "blank or a %| between turns",
                        r->reterr);
        n = add_part(
                r, &(Part){ .kind = letter == '|' ? PART_SEPARATOR : PART_END, .offset = mark, .size = 2 });
        if (n < 0)
                return n;
        if (letter == '|') {
                r->is_separated = true;
                r->at_piece = r->skipped = r->state;
                return 0;
        }
        if (r->is_separated)
                r->state = r->at_piece;
        r->skipped = r->at_loop;
        r->is_open = false;
        r->t->parts[r->loop].end = r->t->n_parts - 1;
        return 0;
}

static int read_mark(Reader *r, size_t mark) {
        char letter = r->t->text[mark + 1];

        return letter == '[' || letter == '(' ? open_loop(r, mark, letter) : close_piece(r, mark, letter);
}

/* *pos is at a percent sign, `*from` where the text in front of it begins, which nobody took yet. */
static int read_specifier(Reader *r, size_t *from, size_t *pos) {
        const Template *t = r->t;
        size_t at = *pos, to = at + 2, text_end = at;
        char letter;
        int n;

        if (at + 1 >= t->size || strchr(WHITESPACE, t->text[at + 1]))
                return fail_at(t, at, "%", 1, "a percent sign is written as two", r->reterr);
        letter = t->text[at + 1];
        if (letter == '%') {
                n = add_text(r, *from, at + 1);
                *from = *pos = to;
                return n;
        }
        if (strchr("[](|)", letter))
                (void) stands_alone(t, at, &text_end, &to);
        n = add_text(r, *from, text_end > *from ? text_end : *from);
        if (n < 0)
                return n;
        if (strchr("[](|)", letter)) {
                n = read_mark(r, at);
        } else if (letter == '{') {
                to = at;
                n = read_variable(r, &to);
        } else {
                Part p = { .kind = PART_VALUE, .offset = at, .size = 2, .letter = letter };

                n = (uint8_t) letter >= 0x80
                            ? fail_at(t, at, "%", 1, "it is followed by no ASCII letter", r->reterr)
                            : add_place(r, &p, to);
        }
        *from = *pos = to;
        return n;
}

static int read_all(Reader *r) {
        size_t from = 0, pos = 0;
        int n;

        while (pos < r->t->size) {
                const char *percent = memchr(r->t->text + pos, '%', r->t->size - pos);

                if (!percent)
                        break;
                pos = (size_t) (percent - r->t->text);
                n = read_specifier(r, &from, &pos);
                if (n < 0)
                        return n;
        }
        if (r->is_open)
                return fail_part(r->t, r->t->parts + r->loop, "the loop is not closed", r->reterr);
        return add_text(r, from, r->t->size);
}

int template_parse(const char *text, size_t size, QuotingLanguage language, Template **ret,
                   TemplateError *reterr) {
        _cleanup_(template_freep) Template *t = NULL;
        Reader r;
        int n;

        if (size > TEMPLATE_MAX)
                return -E2BIG;
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->language = language;
        t->size = size;
        t->text = malloc(size + 1);
        if (!t->text)
                return -ENOMEM;
        (void) memcpy(t->text, text, size);
        t->text[size] = '\0';
        if (!text_is_utf8(t->text, size) || memchr(t->text, '\0', size))
                return fail_at(t, 0, "", 0, "it is no UTF-8, or has NUL bytes in it", reterr);
        r = (Reader){ .t = t, .reterr = reterr };
        n = read_all(&r);
        if (n < 0)
                return n;
        *ret = TAKE_PTR(t);
        return 0;
}

/* What is known while a text is made. */
typedef struct Writer {
        const Template *t;
        const TemplateSource *source;
        char *out; /* NULL: it is only counted */
        size_t n;
        TemplateError *reterr;
} Writer;

static int write_value(Writer *w, const Part *p, bool number, const void *value, size_t size) {
        QuotingPlace place = p->place;
        size_t n;
        int r;

        place.number = number;
        r = quoting_write(w->t->language, &place, value, size, w->out ? w->out + w->n : NULL, &n);
        if (r == -EILSEQ)
                return fail_part(w->t, p, "its value cannot be written in this place", w->reterr);
        if (r >= 0)
                w->n += n;
        return r;
}

static int write_specifier(Writer *w, const Part *p, char loop, size_t index) {
        struct iovec value = {};
        int r;

        r = w->source->value(p->letter, loop, index, &value, w->source->userdata);
        if (r == -ENOENT)
                return fail_part(w->t, p,
                                 loop == '\0' ? "there is no such specifier outside of loops"
                                              : "there is no such specifier in this loop",
                                 w->reterr);
        if (r == -ENOTUNIQ)
                return fail_part(w->t, p, "there are several of it, write it between %[ and %]", w->reterr);
        if (r < 0)
                return r;
        return write_value(w, p, !!strchr(strempty(w->source->numbers), p->letter), value.iov_base,
                           value.iov_len);
}

static int write_variable(Writer *w, const Part *p) {
        const char *value = w->source->variable(p->name, w->source->userdata) ?: p->fallback;

        if (!value)
                return fail_part(w->t, p, "there is no such variable", w->reterr);
        return write_value(w, p, false, value, strlen(value));
}

static int write_parts(Writer *w, size_t from, size_t to, char loop, size_t index);

static int write_loop(Writer *w, size_t at) {
        const Part *p = w->t->parts + at;
        size_t n = w->source->count(p->letter, w->source->userdata), body_end = at + 1;
        int r = 0;

        while (w->t->parts[body_end].kind != PART_SEPARATOR && body_end < p->end)
                body_end++;
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (i > 0 && body_end < p->end)
                        r = write_parts(w, body_end + 1, p->end, p->letter, i);
                if (r >= 0)
                        r = write_parts(w, at + 1, body_end, p->letter, i);
        }
        return r;
}

static int write_parts(Writer *w, size_t from, size_t to, char loop, size_t index) {
        int r = 0;

        for (size_t i = from; i < to && r >= 0; i++) {
                const Part *p = w->t->parts + i;

                switch (p->kind) {
                case PART_TEXT:
                        if (w->out)
                                (void) memcpy(w->out + w->n, w->t->text + p->offset, p->size);
                        w->n += p->size;
                        break;
                case PART_VALUE:
                        r = write_specifier(w, p, loop, index);
                        break;
                case PART_VARIABLE:
                        r = write_variable(w, p);
                        break;
                case PART_LOOP:
                        r = write_loop(w, i);
                        i = p->end;
                        break;
                case PART_SEPARATOR:
                case PART_END:
                        break;
                }
        }
        return r;
}

int template_render(const Template *t, const TemplateSource *source, Secret **ret, TemplateError *reterr) {
        Writer w = { .t = t, .source = source, .reterr = reterr };
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = write_parts(&w, 0, t->n_parts, '\0', 0);
        if (r >= 0)
                r = secret_new_zero(w.n, &text);
        if (r < 0)
                return r;
        w.out = secret_writable(text).iov_base;
        w.n = 0;
        r = write_parts(&w, 0, t->n_parts, '\0', 0);
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}
