/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With the erasing allocator linked in, nothing of a freed or moved block can be found in memory, whoever
 * freed it. */

#include <errno.h>
#include <malloc.h>

#include "draw.h"
#include "memory-scan.h"

/* The allocator keeps its lists in the first bytes of what is freed, so the patterns stand further
 * behind. */
#define OFFSET 64

static void a_pattern_in_use_is_found(void **state) {
        char *p = malloc(256);

        pattern_fill(p + OFFSET, 1);
        assert_int_equal(pattern_count(1), 1);
        free(p);
        assert_int_equal(pattern_count(1), 0);
}

static void freed_blocks_of_all_sizes_are_erased(void **state) {
        for (size_t size = 256; size <= (size_t) 1 << 20; size *= 2) {
                char *p = malloc(size), *next = malloc(16);

                pattern_fill(p + OFFSET, 2);
                pattern_fill(p + size - PATTERN_SIZE, 2);
                free(p);
                assert_int_equal(pattern_count(2), 0);
                free(next);
        }
}

static void aligned_and_zeroed_blocks_are_erased(void **state) {
        char *p = calloc(1, 256), *q = aligned_alloc(64, 256);

        pattern_fill(p + OFFSET, 3);
        pattern_fill(q + OFFSET, 3);
        free(p);
        free(q);
        assert_int_equal(pattern_count(3), 0);
}

static void a_block_that_grows_leaves_no_copy(void **state) {
        char *p = malloc(256), *barrier = malloc(256);

        pattern_fill(p + OFFSET, 4);
        for (size_t size = 512; size <= (size_t) 1 << 21; size *= 2) {
                p = realloc(p, size);
                assert_non_null(p);
                assert_int_equal(pattern_count(4), 1);
                assert_true(pattern_stands((uint8_t *) p + OFFSET, 4));
        }
        free(p);
        free(barrier);
        assert_int_equal(pattern_count(4), 0);
}

static void what_is_cut_off_is_erased(void **state) {
        static const size_t sizes[] = { 2048, (size_t) 1 << 20 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                char *p = malloc(sizes[i]), *barrier = malloc(256);

                pattern_fill(p + OFFSET, 5);
                pattern_fill(p + sizes[i] - PATTERN_SIZE, 6);
                p = realloc(p, 512);
                assert_non_null(p);
                assert_int_equal(pattern_count(5), 1);
                assert_int_equal(pattern_count(6), 0);
                assert_true(pattern_stands((uint8_t *) p + OFFSET, 5));
                p = realloc(p, 0);
                assert_null(p);
                assert_int_equal(pattern_count(5), 0);
                free(barrier);
        }
}

/* reallocarray() and stdio live in libc itself. */
static void blocks_that_the_c_library_frees_are_erased(void **state) {
        char *text = NULL, content[PATTERN_SIZE] = {}, *array = malloc(256), *barrier = malloc(256);
        size_t size = 0;
        FILE *f;

        pattern_fill(array + OFFSET, 7);
        array = reallocarray(array, 1024, 64);
        assert_non_null(array);
        assert_int_equal(pattern_count(7), 1);
        free(array);
        free(barrier);
        assert_int_equal(pattern_count(7), 0);

        f = open_memstream(&text, &size);
        for (size_t i = 0; i < OFFSET; i++)
                fputc(' ', f);
        pattern_fill(content, 8);
        fwrite(content, 1, sizeof(content), f);
        explicit_bzero(content, sizeof(content));
        for (size_t i = 0; i < 100000; i++)
                fputc(' ', f);
        fclose(f);
        assert_int_equal(pattern_count(8), 1);
        free(text);
        assert_int_equal(pattern_count(8), 0);
}

static void null_and_errno_are_left_alone(void **state) {
        char *volatile p = NULL;

        errno = EBUSY;
        free(p);
        p = malloc(100);
        free(p);
        assert_int_equal(errno, EBUSY);
        p = realloc(NULL, 100);
        assert_non_null(p);
        free(p);
}

static void a_block_that_cannot_grow_stays_as_it_is(void **state) {
        volatile size_t too_much = SIZE_MAX / 2;
        uint8_t *p = malloc(256), *moved;

        pattern_fill(p + OFFSET, 9);
        errno = 0;
        moved = realloc(p, too_much);
        if (moved) {
                free(moved);
                fail_msg("more than there is was granted");
                return;
        }
        assert_int_equal(errno, ENOMEM);
        assert_true(pattern_stands(p + OFFSET, 9));
        free(p);
}

/* Content survives whatever is done, as a table of what should be there shows. */
static void blocks_keep_their_content_through_random_use(void **state) {
        struct {
                uint8_t *p;
                size_t size;
                uint8_t fill;
        } blocks[64] = {};
        Draw d = { 1 };

        for (unsigned i = 0; i < 50000; i++) {
                size_t n = draw_below(&d, ELEMENTSOF(blocks)), size = draw_any_size(&d) % 5000, kept;

                kept = blocks[n].size < size ? blocks[n].size : size;
                if (draw_below(&d, 3) == 0) {
                        free(blocks[n].p);
                        blocks[n].p = malloc(size + 1);
                        kept = 0;
                } else
                        blocks[n].p = realloc(blocks[n].p, size + 1);
                assert_non_null(blocks[n].p);
                for (size_t k = 0; k < kept; k++)
                        assert_int_equal(blocks[n].p[k], blocks[n].fill);
                blocks[n].size = size;
                blocks[n].fill = (uint8_t) draw(&d);
                for (size_t k = 0; k < size; k++)
                        blocks[n].p[k] = blocks[n].fill;
        }
        for (size_t n = 0; n < ELEMENTSOF(blocks); n++)
                free(blocks[n].p);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pattern_in_use_is_found),
                cmocka_unit_test(freed_blocks_of_all_sizes_are_erased),
                cmocka_unit_test(aligned_and_zeroed_blocks_are_erased),
                cmocka_unit_test(a_block_that_grows_leaves_no_copy),
                cmocka_unit_test(what_is_cut_off_is_erased),
                cmocka_unit_test(blocks_that_the_c_library_frees_are_erased),
                cmocka_unit_test(null_and_errno_are_left_alone),
                cmocka_unit_test(a_block_that_cannot_grow_stays_as_it_is),
                cmocka_unit_test(blocks_keep_their_content_through_random_use),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
