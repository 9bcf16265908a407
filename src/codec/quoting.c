/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which quotes a place in a text stands between, and how a value is written there.
 *
 * Owns nothing. It reads as much of each language as it takes to know where strings and comments begin and
 * end, and refuses a value that it could not write so that it is read back as the same. */

#include <string.h>

#include "base/text.h"
#include "codec/quoting.h"

static const char *const names[_QUOTING_MAX] = {
        [QUOTING_PLAIN] = "plain", [QUOTING_JSON] = "json",   [QUOTING_YAML] = "yaml",
        [QUOTING_TOML] = "toml",   [QUOTING_SHELL] = "shell",
};

const char *quoting_to_string(QuotingLanguage l) {
        return l >= 0 && l < _QUOTING_MAX ? names[l] : NULL;
}

QuotingLanguage quoting_from_string(const char *s) {
        for (QuotingLanguage l = 0; l < _QUOTING_MAX; l++)
                if (streq(names[l], s))
                        return l;
        return _QUOTING_INVALID;
}

/* Does a comment begin with a '#' here? */
static bool opens_comment(QuotingLanguage l, bool word) {
        return l == QUOTING_TOML || ((l == QUOTING_YAML || l == QUOTING_SHELL) && !word);
}

/* Does a string begin with this quote here? YAML has them at the start of a word alone. */
static bool opens_string(QuotingLanguage l, bool word, char c) {
        if (c == '"')
                return l != QUOTING_YAML || !word;
        return c == '\'' && (l == QUOTING_TOML || l == QUOTING_SHELL || (l == QUOTING_YAML && !word));
}

/* Does a backslash take the meaning away from what follows? */
static bool has_escapes(QuotingLanguage l, QuotingContext c) {
        return c == QUOTING_DOUBLE || (c == QUOTING_BARE && l == QUOTING_SHELL);
}

static bool ends_word(QuotingLanguage l, char c) {
        if (strchr(WHITESPACE, c))
                return true;
        return l == QUOTING_SHELL ? !!strchr(";&|()<>", c) : !!strchr("[]{},", c);
}

/* A text without quotes goes on up to a colon and a blank, the end of its line, or in brackets up to these
 * and a comma. */
static void advance_yaml(QuotingState *s, char c) {
        bool blank = strchr(WHITESPACE, c);

        if (c == '\n' || (blank && s->colon) || (s->flow > 0 && strchr("[]{},", c)))
                s->plain = false;
        else if (!blank && !s->property)
                /* The first of "- x", "? x" and ": x" may be no text, and what opens a string is none. */
                s->plain = s->plain || s->word || !strchr("-?:&*![{\"'#", c);
        if (!s->plain && strchr("[{", c) && (s->flow > 0 || !s->word))
                s->flow++;
        else if (strchr("]}", c) && s->flow > 0)
                s->flow--;
        s->property = !blank && (s->property || (!s->word && !s->plain && strchr("&*!", c)));
        s->colon = c == ':';
}

/* Does something begin here that opens a string or a comment for us and none for YAML, or the other way
 * round? In brackets, readers differ about what follows a colon or a question mark without a blank. */
static bool loses_yaml(const QuotingState *s, char c) {
        if (c == '#')
                return s->colon && !s->word;
        return (c == '"' || c == '\'') && (s->plain ? !s->word : s->word && s->flow > 0);
}

static void advance_bare(QuotingLanguage l, QuotingState *s, char c) {
        /* In brackets, a string is a key also if no blank is behind the colon. */
        bool ends_key = l == QUOTING_YAML && c == ':' && s->closed && s->flow > 0;

        if (c == '\'' && l == QUOTING_YAML && s->closed == '\'') {
                /* The second of two, which stand for one in a string that goes on. */
                s->context = QUOTING_SINGLE;
                return;
        }
        if (l == QUOTING_YAML) {
                s->lost |= loses_yaml(s, c);
                advance_yaml(s, c);
        }
        if (c == '#' && opens_comment(l, s->word))
                s->context = QUOTING_COMMENT;
        else if (opens_string(l, s->word, c))
                s->context = c == '"' ? QUOTING_DOUBLE : QUOTING_SINGLE;
        s->plain = s->plain && !ends_key;
        s->word = !ends_key && (!ends_word(l, c) || (s->plain && !strchr(WHITESPACE, c)));
}

static void advance(QuotingLanguage l, QuotingState *s, char c) {
        char closed = '\0';

        if (s->escaped) {
                s->escaped = false;
                return;
        }
        if (c == '\\' && has_escapes(l, s->context)) {
                s->escaped = s->word = true;
                return;
        }
        switch (s->context) {
        case QUOTING_BARE:
                advance_bare(l, s, c);
                break;
        case QUOTING_SINGLE:
        case QUOTING_DOUBLE:
                if (c == (s->context == QUOTING_DOUBLE ? '"' : '\'')) {
                        s->context = QUOTING_BARE;
                        closed = c;
                }
                break;
        case QUOTING_COMMENT:
                if (c == '\n')
                        *s = (QuotingState){ .lost = s->lost, .flow = s->flow };
                break;
        }
        s->closed = closed;
}

static bool is_name_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool begins_with(const char *text, size_t size, const char *prefix) {
        return size >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

/* "${NAME}", in which nothing is quoted. */
static bool is_simple_expansion(const char *text, size_t size) {
        size_t n = 2;

        while (n < size && is_name_char(text[n]))
                n++;
        return n < size && text[n] == '}';
}

/* "$NAME" or a '$' alone up to the end, where a value would become a part of the name, or one. */
static bool is_open_expansion(const char *text, size_t size) {
        size_t n = 1;

        if (*text != '$')
                return false;
        while (n < size && is_name_char(text[n]))
                n++;
        return n == size;
}

/* Does something begin here that has quotes of its own kind? */
static bool loses(QuotingLanguage l, const QuotingState *s, const char *text, size_t size) {
        bool bare = s->context == QUOTING_BARE;

        if (s->escaped || (!bare && s->context != QUOTING_DOUBLE))
                return false;
        if (l == QUOTING_TOML)
                return bare && (begins_with(text, size, "\"\"\"") || begins_with(text, size, "'''"));
        if (l != QUOTING_SHELL)
                return false;
        if (begins_with(text, size, "${"))
                return !is_simple_expansion(text, size);
        return *text == '`' || is_open_expansion(text, size) || begins_with(text, size, "$(") ||
               (bare && (begins_with(text, size, "<<") || begins_with(text, size, "$'")));
}

void quoting_advance(QuotingLanguage l, QuotingState *s, const char *text, size_t size) {
        if (l == QUOTING_PLAIN)
                return;
        for (size_t i = 0; i < size; i++) {
                s->lost |= loses(l, s, text + i, size - i);
                advance(l, s, text[i]);
        }
}

void quoting_advance_value(QuotingState *s) {
        s->escaped = s->colon = false;
        s->closed = '\0';
        s->word = true;
}

bool quoting_state_alike(const QuotingState *a, const QuotingState *b) {
        return a->context == b->context && a->escaped == b->escaped && a->lost == b->lost;
}

bool quoting_has_words(QuotingLanguage l) {
        return l == QUOTING_YAML || l == QUOTING_SHELL;
}

bool quoting_state_equal(QuotingLanguage l, const QuotingState *a, const QuotingState *b) {
        return quoting_state_alike(a, b) && (!quoting_has_words(l) || a->word == b->word) &&
               (l != QUOTING_YAML ||
                (a->closed == b->closed && a->plain == b->plain && a->property == b->property &&
                 a->colon == b->colon && a->flow == b->flow));
}

/* What is being written, or counted. */
typedef struct Sink {
        char *out;
        size_t n;
} Sink;

static void put(Sink *s, const char *text, size_t size) {
        if (s->out)
                (void) memcpy(s->out + s->n, text, size);
        s->n += size;
}

static void put_char(Sink *s, char c) {
        put(s, &c, 1);
}

static bool is_control(char c) {
        return (uint8_t) c < 0x20 || c == 0x7f;
}

/* Strings of JSON, which those of YAML and TOML between double quotes include. */
static void put_escaped(Sink *s, const char *value, size_t size) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < size; i++) {
                char c = value[i];

                if (c == '"' || c == '\\')
                        put_char(s, '\\');
                if (!is_control(c)) {
                        put_char(s, c);
                        continue;
                }
                put(s, "\\u00", 4);
                put_char(s, digits[(uint8_t) c >> 4]);
                put_char(s, digits[c & 0xf]);
        }
}

static void put_backslashed(Sink *s, const char *value, size_t size) {
        for (size_t i = 0; i < size; i++) {
                if (strchr("\"$`\\", value[i]))
                        put_char(s, '\\');
                put_char(s, value[i]);
        }
}

/* With every single quote replaced by `instead`. */
static void put_between_single(Sink *s, const char *value, size_t size, const char *instead) {
        for (size_t i = 0; i < size; i++)
                if (value[i] == '\'')
                        put(s, instead, strlen(instead));
                else
                        put_char(s, value[i]);
}

static bool has_control(const char *value, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (is_control(value[i]))
                        return true;
        return false;
}

/* It means itself in every language here, as the first one of a word or behind that. */
static bool is_harmless_char(char c, bool first) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
                return true;
        return !first && c != '\0' && strchr("._/+=@:~-", c);
}

/* One word that means itself, wherever in a word it stands. */
static bool is_harmless(const char *value, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!is_harmless_char(value[i], i == 0))
                        return false;
        return size > 0 && value[size - 1] != ':';
}

/* A word of sh(1) and of EnvironmentFile=, for which a quote in the middle of a word is no quote: but a
 * backslash means the same to both. */
static void put_word(Sink *s, const char *value, size_t size) {
        for (size_t i = 0; i < size; i++) {
                if ((uint8_t) value[i] < 0x80 && !is_harmless_char(value[i], i == 0))
                        put_char(s, '\\');
                put_char(s, value[i]);
        }
}

static bool is_word(const char *value, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (value[i] <= 0x20 || value[i] == 0x7f)
                        return false;
        return size > 0;
}

static int write_bare(QuotingLanguage l, bool joined, const char *value, size_t size, Sink *s) {
        if (l == QUOTING_YAML && joined) {
                if (!is_harmless(value, size))
                        return -EILSEQ;
                put(s, value, size);
                return 0;
        }
        if (l == QUOTING_SHELL) {
                if (has_control(value, size))
                        return -EILSEQ;
                if (size == 0 && !joined)
                        put(s, "''", 2);
                put_word(s, value, size);
                return 0;
        }
        put_char(s, '"');
        put_escaped(s, value, size);
        put_char(s, '"');
        return 0;
}

static int write_single(QuotingLanguage l, const char *value, size_t size, Sink *s) {
        if (has_control(value, size) || (l == QUOTING_TOML && memchr(value, '\'', size)))
                return -EILSEQ;
        /* Of a single quote behind a backslash EnvironmentFile= makes something else than sh(1). */
        put_between_single(s, value, size, l == QUOTING_YAML ? "''" : "'\"'\"'");
        return 0;
}

static int write_double(QuotingLanguage l, const char *value, size_t size, Sink *s) {
        if (l != QUOTING_SHELL) {
                put_escaped(s, value, size);
                return 0;
        }
        if (has_control(value, size))
                return -EILSEQ;
        put_backslashed(s, value, size);
        return 0;
}

static int write_comment(const char *value, size_t size, Sink *s) {
        if (has_control(value, size))
                return -EILSEQ;
        put(s, value, size);
        return 0;
}

static int write_any(QuotingLanguage l, const QuotingPlace *place, const char *value, size_t size, Sink *s) {
        if (!text_is_utf8(value, size))
                return -EILSEQ;
        if (l == QUOTING_PLAIN || (place->number && place->context == QUOTING_BARE)) {
                if (!is_word(value, size))
                        return -EILSEQ;
                put(s, value, size);
                return 0;
        }
        switch (place->context) {
        case QUOTING_BARE:
                return write_bare(l, place->joined, value, size, s);
        case QUOTING_SINGLE:
                return write_single(l, value, size, s);
        case QUOTING_DOUBLE:
                return write_double(l, value, size, s);
        case QUOTING_COMMENT:
                return write_comment(value, size, s);
        }
        return -EINVAL;
}

int quoting_write(QuotingLanguage l, const QuotingPlace *place, const void *value, size_t size, char *out,
                  size_t *ret_n) {
        Sink s = { .out = out };
        int r;

        r = write_any(l, place, value, size, &s);
        if (r >= 0)
                *ret_n = s.n;
        return r;
}
