/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at terminal, locale and environment once, and turns tones into escape sequences.
 *
 * Everything that is printed for people passes through here on its way to a C locale. What text contains was
 * cleaned where it came in (client/snapshot); no escape sequence comes from anywhere but this file. */

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/scalar.h"
#include "base/text.h"
#include "ctl/style.h"
#include "model/job-state.h"

#define COLUMNS_MIN 20
#define COLUMNS_MAX 1000

static const char *const color_mode_table[_COLOR_MODE_MAX] = {
        [COLOR_AUTO] = "auto",
        [COLOR_ALWAYS] = "always",
        [COLOR_NEVER] = "never",
};

static const char *const json_mode_table[_JSON_MODE_MAX] = {
        [JSON_OFF] = "off",
        [JSON_SHORT] = "short",
        [JSON_PRETTY] = "pretty",
};

static const char *const tone_table[_TONE_MAX] = {
        [TONE_PLAIN] = "",           [TONE_GOOD] = "\033[32m",  [TONE_BUSY] = "\033[36m",
        [TONE_WARNING] = "\033[33m", [TONE_BAD] = "\033[1;31m", [TONE_FAINT] = "\033[2m",
        [TONE_STRONG] = "\033[1m",
};

/* What UTF-8 text of our own may contain, and how ASCII says it. */
static const struct {
        const char *utf8, *ascii;
} replacements[] = {
        { "…", "..." }, { "“", "\"" }, { "”", "\"" }, { "‘", "'" }, { "’", "'" },
        { "→", "->" },  { "–", "-" },  { "█", "#" },  { "░", "-" }, { "●", "*" },
};

ColorMode color_mode_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(color_mode_table); i++)
                if (streq_ptr(s, color_mode_table[i]))
                        return (ColorMode) i;
        return _COLOR_MODE_INVALID;
}

JsonMode json_mode_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(json_mode_table); i++)
                if (streq_ptr(s, json_mode_table[i]))
                        return (JsonMode) i;
        return _JSON_MODE_INVALID;
}

static unsigned terminal_columns(void) {
        const char *e = getenv("COLUMNS");
        struct winsize w = {};
        uint64_t n;

        if (e && parse_u64(e, COLUMNS_MIN, COLUMNS_MAX, &n) >= 0)
                return (unsigned) n;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < COLUMNS_MIN)
                return 80;
        return w.ws_col;
}

void style_detect(Style *ret, ColorMode color) {
        bool terminal = isatty(STDOUT_FILENO) == 1;

        *ret = (Style){
                .color = color == COLOR_ALWAYS ||
                         (color == COLOR_AUTO && terminal && isempty(getenv("NO_COLOR")) &&
                          !streq_ptr(getenv("TERM"), "dumb")),
                .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
                .legend = true,
                .columns = terminal ? terminal_columns() : 0,
        };
}

const char *style_on(const Style *s, Tone tone) {
        return s->color && tone >= 0 && tone < _TONE_MAX ? tone_table[tone] : "";
}

const char *style_off(const Style *s, Tone tone) {
        return s->color && tone > TONE_PLAIN && tone < _TONE_MAX ? "\033[0m" : "";
}

Tone state_tone(const char *state) {
        switch (job_state_from_string(state)) {
        case JOB_FRESH:
                return TONE_GOOD;
        case JOB_REFRESHING:
                return TONE_BUSY;
        case JOB_RETRYING:
                return TONE_WARNING;
        case JOB_EXPIRED:
        case JOB_FAILED:
                return TONE_BAD;
        case JOB_INACTIVE:
                return TONE_FAINT;
        case _JOB_STATE_MAX:
        case _JOB_STATE_INVALID:
                break;
        }
        return TONE_PLAIN;
}

/* Writes the ASCII form of the character at `s` and returns how many bytes it had. */
static size_t put_ascii(FILE *f, const char *s) {
        size_t n = 1;

        if ((unsigned char) s[0] < 0x80) {
                fputc(s[0], f);
                return 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(replacements); i++)
                if (startswith(s, replacements[i].utf8)) {
                        fputs(replacements[i].ascii, f);
                        return strlen(replacements[i].utf8);
                }
        fputc('?', f);
        while (((unsigned char) s[n] & 0xc0) == 0x80)
                n++;
        return n;
}

int style_text(const Style *s, const char *text, char **ret) {
        char *data = NULL;
        size_t size;
        FILE *f;

        if (s->utf8)
                return text_format(ret, "%s", text);
        f = open_memstream(&data, &size);
        if (!f)
                return -ENOMEM;
        while (*text)
                text += put_ascii(f, text);
        if (fclose(f) != 0) {
                free(data);
                return -ENOMEM;
        }
        *ret = data;
        return 0;
}

size_t style_width(const Style *s, const char *text, size_t size) {
        mbstate_t state = {};
        size_t width = 0;

        if (!s->utf8)
                return size;
        while (size > 0) {
                wchar_t c;
                size_t n = mbrtowc(&c, text, size, &state);
                int columns;

                if (n == 0 || n > size) { /* not of this locale: count bytes */
                        state = (mbstate_t){};
                        n = 1;
                        columns = 1;
                } else
                        columns = wcwidth(c);
                width += columns > 0 ? (size_t) columns : 0;
                text += n;
                size -= n;
        }
        return width;
}
