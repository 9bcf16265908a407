/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking for a pattern in all private memory of this process, as somebody with its core dump would.
 *
 * The pattern is computed byte by byte, so that the only whole copies are those which the test makes. */

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "unit.h"

#define PATTERN_SIZE 48
#define SCAN_CHUNK ((size_t) 1 << 20)

static inline uint8_t pattern_byte(uint8_t tag, size_t i) {
        static volatile uint8_t key = 0xa7; /* volatile: no copy made at compile time */

        return (uint8_t) (key ^ (tag * 31 + i * 57));
}

static inline void pattern_fill(void *p, uint8_t tag) {
        for (size_t i = 0; i < PATTERN_SIZE; i++)
                ((volatile uint8_t *) p)[i] = pattern_byte(tag, i);
}

static inline bool pattern_stands(const uint8_t *p, uint8_t tag) {
        for (size_t i = 0; i < PATTERN_SIZE; i++)
                if (p[i] != pattern_byte(tag, i))
                        return false;
        return true;
}

static inline bool word_has(const uint8_t *p, uint8_t byte) {
        const uint64_t ones = UINT64_MAX / 0xff;
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        word ^= ones * byte; /* one of its bytes is 0 now, and what is taken from it borrows */
        return (word - ones) & ~word & ones << 7;
}

/* Where the byte comes next, or the end. By words where it is not: most of what is searched is zero, and
 * each step is dear under valgrind and the sanitizers. */
static inline const uint8_t *pattern_next(const uint8_t *p, const uint8_t *end, uint8_t first) {
        while (p < end)
                if (end - p >= (ptrdiff_t) sizeof(uint64_t) && !word_has(p, first))
                        p += sizeof(uint64_t);
                else if (*p == first)
                        return p;
                else
                        p++;
        return end;
}

static inline size_t pattern_count_in(int memory, uint8_t *buffer, uint64_t begin, uint64_t end,
                                      uint8_t tag) {
        size_t found = 0;

        /* The chunks overlap by one byte less than a pattern. */
        for (uint64_t at = begin; at + PATTERN_SIZE <= end; at += SCAN_CHUNK - PATTERN_SIZE + 1) {
                ssize_t n = pread(memory, buffer, end - at < SCAN_CHUNK ? end - at : SCAN_CHUNK, (off_t) at);

                if (n < PATTERN_SIZE)
                        continue;

                const uint8_t *stop = buffer + n - PATTERN_SIZE + 1;

                for (const uint8_t *p = buffer; (p = pattern_next(p, stop, pattern_byte(tag, 0))) < stop;
                     p++)
                        found += pattern_stands(p, tag);
        }
        return found;
}

/* How many whole copies of the pattern there are in writable private memory. */
static inline size_t pattern_count(uint8_t tag) {
        /* Shared, so that the buffer is not among what is searched. */
        uint8_t *buffer = mmap(NULL, SCAN_CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        FILE *maps = fopen("/proc/self/maps", "re");
        uint64_t begin, end;
        char mode[8], line[512];
        size_t found = 0;

        assert_true(buffer != MAP_FAILED && memory >= 0 && maps);
        while (fgets(line, sizeof(line), maps)) {
                assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &begin, &end, mode), 3);
                /* The shadow memory of sanitizers has terabytes, and nothing of ours. */
                if (strncmp(mode, "rw", 2) == 0 && mode[3] == 'p' && end - begin < UINT64_C(1) << 30)
                        found += pattern_count_in(memory, buffer, begin, end, tag);
        }
        fclose(maps);
        close(memory);
        munmap(buffer, SCAN_CHUNK);
        return found;
}
