/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How output looks: colour, character set, width, headings. Decided once at the start, then handed around.
 * */

#include "base/macro.h"

typedef enum ColorMode {
        COLOR_AUTO,
        COLOR_ALWAYS,
        COLOR_NEVER,
        _COLOR_MODE_MAX,
        _COLOR_MODE_INVALID = -EINVAL,
} ColorMode;

ColorMode color_mode_from_string(const char *s);

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT,
        JSON_PRETTY,
        _JSON_MODE_MAX,
        _JSON_MODE_INVALID = -EINVAL,
} JsonMode;

JsonMode json_mode_from_string(const char *s);

typedef struct Style {
        bool color;
        bool utf8;        /* the locale's character set can show everything */
        bool legend;      /* headings, and what stands around a table */
        unsigned columns; /* to fill; 0: as wide as the text is */
} Style;

/* Looks at standard output, the locale (setlocale() first), $NO_COLOR, $TERM and $COLUMNS. */
void style_detect(Style *ret, ColorMode color);

/* What a piece of text is, which selects its colour. */
typedef enum Tone {
        TONE_PLAIN,
        TONE_GOOD,
        TONE_BUSY,
        TONE_WARNING,
        TONE_BAD,
        TONE_FAINT,
        TONE_STRONG,
        _TONE_MAX,
        _TONE_INVALID = -EINVAL,
} Tone;

/* The escape sequence that begins or ends a tone; "" without colour. */
const char *style_on(const Style *s, Tone tone);
const char *style_off(const Style *s, Tone tone);

/* The tone of a state's name; TONE_PLAIN for one that this tool does not know. */
Tone state_tone(const char *state);

/* A copy of `text` that the character set can show: as it is, or in ASCII with '?' for what has no place
 * there. Returns 0 or -ENOMEM. */
int style_text(const Style *s, const char *text, char **ret);
/* Columns that a text takes on a terminal of this style. */
size_t style_width(const Style *s, const char *text, size_t size);
