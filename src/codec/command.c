/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Splits command lines into arguments as a POSIX shell would, without anything that a shell would do
 * besides.
 *
 * Owns nothing. Refuses what is cut off instead of guessing its end. */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/command.h"

/* Reads one word from *p, which is at its first character, into `word`, which has room for all of the line.
 * Returns 0 or -EINVAL. */
static int read_word(const char **p, char *word) {
        const char *s = *p;
        char quote = '\0';

        for (; *s && (quote || !strchr(WHITESPACE, *s)); s++) {
                if (quote ? *s == quote : *s == '"' || *s == '\'') {
                        quote = quote ? '\0' : *s;
                        continue;
                }
                if (*s == '\\' && quote != '\'' && *++s == '\0')
                        return -EINVAL;
                *word++ = *s;
        }
        if (quote)
                return -EINVAL;
        *word = '\0';
        *p = s;
        return 0;
}

int command_split(const char *line, char ***ret) {
        _cleanup_free_ char *word = malloc(strlen(line) + 1);
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!word)
                return -ENOMEM;
        for (size_t n = 0;; n++) {
                line += strspn(line, WHITESPACE);
                if (*line == '\0')
                        break;
                if (n >= COMMAND_WORDS_MAX)
                        return -E2BIG;
                r = read_word(&line, word);
                if (r >= 0)
                        r = strv_append(&words, word);
                if (r < 0)
                        return r;
        }
        if (!words)
                return -EINVAL;
        *ret = TAKE_PTR(words);
        return 0;
}
