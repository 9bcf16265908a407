/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Command lines: words are never longer than their line, and quoting them all gives the same words again. */

#include "fuzz.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/command.h"

/* 'word' for each, with every ' outside of the quotes. */
static char *quote(char *const *words, size_t size) {
        char *line = malloc(size * 5 + 3 * COMMAND_WORDS_MAX + 1), *p = line;

        fuzz_assert(line);
        STRV_FOREACH(w, words) {
                *p++ = '\'';
                for (const char *c = *w; *c; c++)
                        if (*c == '\'')
                                p = stpcpy(p, "'\\''");
                        else
                                *p++ = *c;
                *p++ = '\'';
                *p++ = ' ';
        }
        *p = '\0';
        return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *line = strndup((const char *) data, size), *quoted = NULL;
        _cleanup_strv_ char **words = NULL, **again = NULL;
        size_t all = 0;
        int r;

        fuzz_assert(line);
        r = command_split(line, &words);
        fuzz_assert(r == 0 || r == -EINVAL || r == -E2BIG);
        fuzz_assert((r == 0) == !!words);
        if (r < 0)
                return 0;
        STRV_FOREACH(w, words)
                all += strlen(*w);
        fuzz_assert(all <= strlen(line) && strv_length(words) <= COMMAND_WORDS_MAX);
        quoted = quote(words, all);
        fuzz_assert(command_split(quoted, &again) == 0);
        fuzz_assert(strv_equal(words, again));
        return 0;
}
