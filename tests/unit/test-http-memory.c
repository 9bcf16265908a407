/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The allocators that libcurl gets: ordinary ones that leave nothing behind. */

#include "io/http-memory.h"
#include "memory-scan.h"

static void freed_blocks_are_erased(void **state) {
        uint8_t *p = http_memory_alloc(PATTERN_SIZE);

        assert_non_null(p);
        pattern_fill(p, 21);
        assert_int_equal(pattern_count(21), 1);
        http_memory_free(p);
        assert_int_equal(pattern_count(21), 0);
        http_memory_free(NULL);
}

static void blocks_that_grow_or_shrink_keep_their_content_and_leave_no_copy(void **state) {
        static const size_t sizes[] = { 64, 4096, 1 << 20, 100, PATTERN_SIZE };
        uint8_t *p = http_memory_realloc(NULL, PATTERN_SIZE);

        assert_non_null(p);
        pattern_fill(p, 22);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                p = http_memory_realloc(p, sizes[i]);
                assert_non_null(p);
                assert_true(pattern_stands(p, 22));
                assert_int_equal(pattern_count(22), 1);
        }
        http_memory_free(p);
        assert_int_equal(pattern_count(22), 0);
}

static void strings_are_copied_and_arrays_are_zero(void **state) {
        char *s = http_memory_strdup("text");
        uint8_t *a = http_memory_calloc(3, 5);

        assert_string_equal(s, "text");
        for (size_t i = 0; i < 15; i++)
                assert_int_equal(a[i], 0);
        http_memory_free(s);
        http_memory_free(a);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(freed_blocks_are_erased),
                cmocka_unit_test(blocks_that_grow_or_shrink_keep_their_content_and_leave_no_copy),
                cmocka_unit_test(strings_are_copied_and_arrays_are_zero),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
