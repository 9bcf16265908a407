/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* INI files after systemd.syntax(7), from bytes to assignments and messages.
 *
 * Owns what a Conf holds. Goes on behind a line that it cannot read, so that an administrator sees all
 * mistakes at once, but says no more than MESSAGES_MAX times so: a file that is no text at all must not fill
 * the journal. Opens no file, logs nothing, and knows what keys mean only through the table that
 * conf_apply() is given. */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "codec/conf.h"

#define MESSAGES_MAX 64
#define MESSAGE_TEXT_MAX 1024
/* Enough of a name to recognise it by. */
#define NAME_SHOWN_MAX 64

typedef struct Parser {
        Conf *conf;
        const char *file;
        char *line; /* CONF_LINE_MAX + 1 bytes: what was read so far of a line with its continuations */
        size_t length;
        unsigned first; /* number of its first physical line */
        bool too_long;
        char *section;
        bool skip; /* behind a header that could not be read */
        unsigned n_bad;
} Parser;

static void assignment_done(ConfAssignment *a) {
        free(a->section);
        free(a->key);
        free(a->value);
        free(a->file);
}

void conf_forget_assignments(Conf *c) {
        for (size_t i = 0; i < c->n_assignments; i++)
                assignment_done(c->assignments + i);
        free(c->assignments);
        c->assignments = NULL;
        c->n_assignments = 0;
}

/* Makes room for one more: the capacity is the power of two that is not below `n`. */
static int grow(void **items, size_t n, size_t size) {
        void *grown;

        if ((n & (n - 1)) != 0)
                return 0;
        grown = reallocarray(*items, n == 0 ? 1 : 2 * n, size);
        if (!grown)
                return -ENOMEM;
        *items = grown;
        return 0;
}

/* One item from the middle of a list to the end of another. */
static int move_item(void **from, size_t *n_from, size_t i, void **to, size_t *n_to, size_t size) {
        char *item = (char *) *from + i * size;
        int r;

        r = grow(to, *n_to, size);
        if (r < 0)
                return r;
        memcpy((char *) *to + *n_to * size, item, size);
        (*n_to)++;
        (*n_from)--;
        memmove(item, item + size, (*n_from - i) * size);
        return 0;
}

int conf_move_file(Conf *from, const char *file, Conf *to) {
        int r = 0;

        if (strv_contains(from->files, file))
                r = strv_append(&to->files, file);
        for (size_t i = 0; i < from->n_assignments && r >= 0;)
                if (streq(from->assignments[i].file, file))
                        r = move_item((void **) &from->assignments, &from->n_assignments, i,
                                      (void **) &to->assignments, &to->n_assignments,
                                      sizeof(*to->assignments));
                else
                        i++;
        for (size_t i = 0; i < from->n_messages && r >= 0;)
                if (streq(from->messages[i].file, file))
                        r = move_item((void **) &from->messages, &from->n_messages, i,
                                      (void **) &to->messages, &to->n_messages, sizeof(*to->messages));
                else
                        i++;
        return r;
}

Conf *conf_free(Conf *c) {
        if (!c)
                return NULL;
        conf_forget_assignments(c);
        for (size_t i = 0; i < c->n_messages; i++) {
                free(c->messages[i].file);
                free(c->messages[i].text);
        }
        free(c->messages);
        strv_free(c->files);
        free(c);
        return NULL;
}

int conf_new(Conf **ret) {
        Conf *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;
        *ret = c;
        return 0;
}

int conf_add_message(Conf *c, ConfSeverity severity, const char *file, unsigned line, const char *format,
                     ...) {
        _cleanup_free_ char *text = NULL, *copy = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_format_clean(&text, MESSAGE_TEXT_MAX, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        copy = strdup(file);
        if (!copy)
                return -ENOMEM;
        r = grow((void **) &c->messages, c->n_messages, sizeof(*c->messages));
        if (r < 0)
                return r;
        c->messages[c->n_messages++] = (ConfMessage){
                .severity = severity,
                .file = TAKE_PTR(copy),
                .line = line,
                .text = TAKE_PTR(text),
        };
        return 0;
}

void conf_drop_messages(Conf *c, const char *file) {
        size_t kept = 0;

        for (size_t i = 0; i < c->n_messages; i++) {
                if (!streq(c->messages[i].file, file)) {
                        c->messages[kept++] = c->messages[i];
                        continue;
                }
                free(c->messages[i].file);
                free(c->messages[i].text);
        }
        c->n_messages = kept;
}

const ConfAssignment *conf_find_assignment(const Conf *c, const char *section, const char *key) {
        for (size_t i = c->n_assignments; i > 0; i--)
                if (streq(c->assignments[i - 1].section, section) && streq(c->assignments[i - 1].key, key))
                        return c->assignments + i - 1;
        return NULL;
}

bool conf_has_error(const Conf *c) {
        for (size_t i = 0; i < c->n_messages; i++)
                if (c->messages[i].severity == CONF_ERROR)
                        return true;
        return false;
}

int conf_message_format(const ConfMessage *m, char **ret) {
        if (m->line == 0)
                return text_format(ret, "%s: %s", m->file, m->text);
        return text_format(ret, "%s:%u: %s", m->file, m->line, m->text);
}

static int bad_line(Parser *p, const char *text) {
        if (++p->n_bad > MESSAGES_MAX)
                return 0;
        return conf_add_message(p->conf, CONF_ERROR, p->file, p->first, "%s", text);
}

static bool is_blank(char c) {
        return c != '\0' && strchr(WHITESPACE, c);
}

/* Cuts the blanks off both ends of text[0…size]. */
static const char *trim(const char *text, size_t *size) {
        while (*size > 0 && is_blank(text[*size - 1]))
                --*size;
        while (*size > 0 && is_blank(*text)) {
                text++;
                --*size;
        }
        return text;
}

/* C0 without the tab, DEL, and C1 in its UTF-8 form. */
static bool has_control_characters(const char *text, size_t size) {
        const uint8_t *s = (const uint8_t *) text;

        for (size_t i = 0; i < size; i++) {
                if ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
                        return true;
                if (s[i] == 0xc2 && i + 1 < size && s[i + 1] >= 0x80 && s[i + 1] < 0xa0)
                        return true;
        }
        return false;
}

static int take_header(Parser *p, const char *text, size_t size) {
        char *name;

        p->skip = true;
        if (size < 3 || text[size - 1] != ']' || memchr(text, ']', size - 1) ||
            memchr(text + 1, '[', size - 1))
                return bad_line(p, "This is no section header, write [Section]");
        name = strndup(text + 1, size - 2);
        if (!name)
                return -ENOMEM;
        free(p->section);
        p->section = name;
        p->skip = false;
        return 0;
}

static int take_assignment(Parser *p, const char *text, size_t size) {
        const char *equals = memchr(text, '=', size), *key, *value;
        ConfAssignment a = { .line = p->first };
        size_t key_size, value_size;
        int r;

        if (!equals)
                return bad_line(p, "There is no '=' in this line, write Key=Value");
        key_size = (size_t) (equals - text);
        value_size = size - key_size - 1;
        key = trim(text, &key_size);
        value = trim(equals + 1, &value_size);
        if (key_size == 0)
                return bad_line(p, "There is no key before the '=', write Key=Value");
        if (p->skip)
                return 0;
        if (!p->section)
                return bad_line(p, "This line stands before the first [Section]");
        r = grow((void **) &p->conf->assignments, p->conf->n_assignments, sizeof(a));
        if (r < 0)
                return r;
        a.section = strdup(p->section);
        a.key = strndup(key, key_size);
        a.value = strndup(value, value_size);
        a.file = strdup(p->file);
        if (!a.section || !a.key || !a.value || !a.file) {
                assignment_done(&a);
                return -ENOMEM;
        }
        p->conf->assignments[p->conf->n_assignments++] = a;
        return 0;
}

/* Reads the line that was put together, and begins a next one. */
static int take_line(Parser *p) {
        const char *text = p->line;
        size_t size = p->length;
        bool too_long = p->too_long;

        p->length = 0;
        p->too_long = false;
        if (too_long)
                return bad_line(p, "This line is too long, the limit is 16 KiB");
        text = trim(text, &size);
        if (size == 0)
                return 0;
        if (has_control_characters(text, size))
                return bad_line(p, "There are control characters in this line");
        if (!text_is_utf8(text, size))
                return bad_line(p, "This line is not UTF-8");
        return text[0] == '[' ? take_header(p, text, size) : take_assignment(p, text, size);
}

static void append(Parser *p, const char *text, size_t size) {
        if (size > CONF_LINE_MAX - p->length) {
                p->too_long = true;
                return;
        }
        if (size > 0)
                memcpy(p->line + p->length, text, size);
        p->length += size;
}

/* An even number of backslashes are backslashes. */
static bool is_continued(const char *text, size_t size) {
        size_t n = 0;

        while (n < size && text[size - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

static bool is_comment(const char *text, size_t size) {
        text = trim(text, &size);
        return size > 0 && (text[0] == '#' || text[0] == ';');
}

static int parse_lines(Parser *p, const char *data, size_t size) {
        bool continued = false;
        unsigned number = 0;
        int r;

        while (size > 0) {
                const char *end = memchr(data, '\n', size);
                size_t length = end ? (size_t) (end - data) : size, all = length + (end ? 1 : 0);
                const char *line = data;

                data += all;
                size -= all;
                number++;
                if (length > 0 && line[length - 1] == '\r')
                        length--;
                /* A comment may stand within a continued line, and is itself never continued. */
                if (is_comment(line, length))
                        continue;
                if (!continued)
                        p->first = number;
                continued = is_continued(line, length);
                append(p, line, continued ? length - 1 : length);
                if (continued) {
                        append(p, " ", 1);
                        continue;
                }
                r = take_line(p);
                if (r < 0)
                        return r;
        }
        return continued ? take_line(p) : 0;
}

int conf_parse(Conf *c, const char *file, const char *data, size_t size) {
        _cleanup_free_ char *line = malloc(CONF_LINE_MAX);
        Parser p = { .conf = c, .file = file, .line = line };
        int r;

        if (!line)
                return -ENOMEM;
        /* A byte order mark is what some editors begin UTF-8 with. */
        if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
                data += 3;
                size -= 3;
        }
        r = parse_lines(&p, data, size);
        if (r >= 0 && p.n_bad > MESSAGES_MAX)
                r = conf_add_message(c, CONF_ERROR, file, 0, "%u more lines cannot be read",
                                     p.n_bad - MESSAGES_MAX);
        free(p.section);
        return r;
}

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Can `a` be turned into `b` by so many insertions, deletions, replacements and swaps of neighbours? Upper
 * and lower case are the same here. Calls itself no deeper than `edits`. */
static bool is_near(const char *a, const char *b, unsigned edits) {
        while (*a && lower(*a) == lower(*b)) {
                a++;
                b++;
        }
        if (!*a && !*b)
                return true;
        if (edits == 0)
                return false;
        edits--;
        return (*a && is_near(a + 1, b, edits)) || (*b && is_near(a, b + 1, edits)) ||
               (*a && *b && is_near(a + 1, b + 1, edits)) ||
               (*a && *b && lower(a[0]) == lower(b[1]) && lower(a[1]) == lower(b[0]) &&
                is_near(a + 2, b + 2, edits));
}

static bool has_section(const ConfKey *keys, size_t n_keys, const char *section) {
        for (size_t i = 0; i < n_keys; i++)
                if (streq(keys[i].section, section))
                        return true;
        return false;
}

/* What was probably meant: a key of this section, or, where there is no such section, a section. */
static const char *find_near(const ConfKey *keys, size_t n_keys, const ConfAssignment *a) {
        bool known = has_section(keys, n_keys, a->section);
        const char *written = known ? a->key : a->section;
        size_t third = strlen(written) / 3;

        if (strlen(written) > NAME_SHOWN_MAX)
                return NULL;
        for (unsigned edits = 0; edits <= 2 && edits <= third; edits++)
                for (size_t i = 0; i < n_keys; i++)
                        if (known && streq(keys[i].section, a->section) &&
                            is_near(written, keys[i].key, edits))
                                return keys[i].key;
                        else if (!known && is_near(written, keys[i].section, edits))
                                return keys[i].section;
        return NULL;
}

static int warn_unknown(Conf *c, const ConfKey *keys, size_t n_keys, const ConfAssignment *a) {
        const char *near = find_near(keys, n_keys, a);
        _cleanup_free_ char *key = NULL, *section = NULL, *meant = NULL;
        int r;

        r = text_clean(a->key, strlen(a->key), NAME_SHOWN_MAX, &key);
        if (r >= 0)
                r = text_clean(a->section, strlen(a->section), NAME_SHOWN_MAX, &section);
        if (r >= 0 && near && has_section(keys, n_keys, a->section))
                r = text_format(&meant, " (did you mean '%s'?)", near);
        else if (r >= 0 && near)
                r = text_format(&meant, " (did you mean [%s]?)", near);
        if (r < 0)
                return r;
        return conf_add_message(c, CONF_WARNING, a->file, a->line,
                                "Unknown key '%s' in section [%s]%s, ignoring", key, section,
                                strempty(meant));
}

static const ConfKey *find_key(const ConfKey *keys, size_t n_keys, const ConfAssignment *a) {
        for (size_t i = 0; i < n_keys; i++)
                if (streq(keys[i].section, a->section) && streq(keys[i].key, a->key))
                        return keys + i;
        return NULL;
}

int conf_apply(Conf *c, const ConfKey *keys, size_t n_keys, void *userdata) {
        for (size_t i = 0; i < c->n_assignments; i++) {
                const ConfAssignment *a = c->assignments + i;
                const ConfKey *key = find_key(keys, n_keys, a);
                _cleanup_free_ char *sentence = NULL;
                int r;

                if (key) {
                        r = key->set(a, userdata, &sentence);
                        if (r > 0)
                                r = conf_add_message(c, CONF_ERROR, a->file, a->line, "%s",
                                                     sentence ?: "This value is not usable");
                } else if (startswith(a->section, "X-") || startswith(a->key, "X-"))
                        continue;
                else
                        r = warn_unknown(c, keys, n_keys, a);
                if (r < 0)
                        return r;
        }
        return 0;
}
