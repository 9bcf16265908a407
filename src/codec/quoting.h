/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Putting values into text of a language so that they stay values: what stands around decides how they are
 * quoted. Pure. */

#include "base/macro.h"

typedef enum QuotingLanguage {
        QUOTING_PLAIN, /* nothing can be quoted: values are single words */
        QUOTING_JSON,  /* RFC 8259 */
        QUOTING_YAML,  /* 1.2, but for block scalars and plain ones over several lines */
        QUOTING_TOML,  /* 1.0, but for strings over several lines */
        QUOTING_SHELL, /* POSIX sh, and EnvironmentFile= of systemd.exec(5); no here-documents, no "$(" */
        _QUOTING_MAX,
        _QUOTING_INVALID = -EINVAL,
} QuotingLanguage;

/* "json"; from_string: _QUOTING_INVALID if there is none of that name. */
const char *quoting_to_string(QuotingLanguage l);
QuotingLanguage quoting_from_string(const char *s);

typedef enum QuotingContext {
        QUOTING_BARE,
        QUOTING_SINGLE, /* between ' and ' */
        QUOTING_DOUBLE, /* between " and " */
        QUOTING_COMMENT,
} QuotingContext;

/* Where in a text one is; {} at its start. */
typedef struct QuotingState {
        QuotingContext context;
        bool escaped; /* a backslash went before */
        bool word;    /* bare, and in the middle of a word */
        char closed;  /* the quote that went before if it ends a string, or is one half of two */
        bool lost;    /* something went before that is not understood: no value can be written any more */
        /* Of YAML: */
        bool plain;    /* in a text without quotes, which blanks do not end */
        bool property; /* in a word that begins with '&', '*' or '!' */
        bool colon;    /* behind a colon */
        size_t flow;   /* how many brackets are open */
} QuotingState;

/* Goes on by `size` bytes of the text, up to a value or to a place where one may come. */
void quoting_advance(QuotingLanguage l, QuotingState *s, const char *text, size_t size);
/* Goes on by one value, whatever it is. */
void quoting_advance_value(QuotingState *s);
/* Does it matter there whether a value touches other text? */
bool quoting_has_words(QuotingLanguage l);
/* Do both read on in the same way? */
bool quoting_state_equal(QuotingLanguage l, const QuotingState *a, const QuotingState *b);
/* Are they at least between the same quotes, if perhaps one in a word and the other not? */
bool quoting_state_alike(const QuotingState *a, const QuotingState *b);

/* How a value is to be written. */
typedef struct QuotingPlace {
        QuotingContext context;
        bool joined; /* bare, and with something right in front of it or behind it */
        bool number; /* bare, it needs no quotes: the caller vouches for that */
} QuotingPlace;

/* Room for the longest that `size` bytes can become. */
#define QUOTING_ROOM(size) (6 * (size) + 2)

/* Writes the value to `out`, which has room; NULL to count alone. Returns 0 with the number of bytes;
 * -EILSEQ if it cannot be said there: no UTF-8, control characters where they have no escape, blanks in
 * QUOTING_PLAIN, a quote that nothing can hide. */
int quoting_write(QuotingLanguage l, const QuotingPlace *place, const void *value, size_t size, char *out,
                  size_t *ret_n);
