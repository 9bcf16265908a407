/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What fuzzers share: the entry point that libFuzzer calls (and fuzz-main.c, over the corpus), an
 * assertion that stays in a release build, and the invariants that more than one of them holds. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/secret.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_assert(condition)                                                                    \
        do {                                                                                      \
                if (!(condition)) {                                                               \
                        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                  \
                }                                                                                 \
        } while (false)

/* Fit to be shown: UTF-8 without control characters. */
static inline void fuzz_assert_clean(const char *text) {
        size_t size = strlen(text);

        fuzz_assert(text_is_utf8(text, size));
        for (size_t i = 0; i < size; i++) {
                uint8_t c = (uint8_t) text[i], next = (uint8_t) text[i + 1];

                fuzz_assert((c >= 0x20 || c == '\t') && c != 0x7f &&
                            (c != 0xc2 || next < 0x80 || next >= 0xa0));
        }
}

static inline bool fuzz_is_equal(const Secret *s, const void *data, size_t size) {
        return secret_size(s) == size && (size == 0 || memcmp(secret_peek(s).iov_base, data, size) == 0);
}
