/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Secrets: what is stored comes out, and nothing of it stays behind. */

#include "base/secret.h"
#include "draw.h"
#include "memory-scan.h"

static void assert_content(const Secret *s, const void *data, size_t size) {
        struct iovec content = secret_peek(s);

        assert_int_equal(content.iov_len, size);
        assert_int_equal(secret_size(s), size);
        if (size > 0)
                assert_memory_equal(content.iov_base, data, size);
        assert_int_equal(((const char *) content.iov_base)[size], 0);
}

static void content_comes_out_as_it_went_in_with_a_nul_behind(void **state) {
        Draw d = { 1 };

        for (unsigned i = 0; i < 300; i++) {
                _cleanup_secret_ Secret *s = NULL, *copy = NULL;
                uint8_t data[512];
                size_t size = draw_below(&d, sizeof(data));

                for (size_t k = 0; k < size; k++)
                        data[k] = (uint8_t) draw(&d);
                assert_int_equal(secret_new(data, size, &s), 0);
                assert_content(s, data, size);
                assert_int_equal(secret_dup(s, &copy), 0);
                assert_content(copy, data, size);
                assert_true(secret_equal(s, copy));
                assert_int_equal(secret_is_string(s), !memchr(data, 0, size));
        }
}

static void an_empty_secret_is_not_null(void **state) {
        _cleanup_secret_ Secret *s = NULL, *copy = NULL;

        assert_int_equal(secret_new(NULL, 0, &s), 0);
        assert_content(s, "", 0);
        assert_true(secret_is_string(s));
        assert_false(secret_equal(s, NULL));
        assert_false(secret_equal(NULL, s));
        assert_true(secret_equal(NULL, NULL));
        assert_false(secret_is_string(NULL));
        assert_int_equal(secret_peek(NULL).iov_len, 0);
        assert_null(secret_peek(NULL).iov_base);
        assert_int_equal(secret_size(NULL), 0);
        assert_null(secret_free(NULL));
        assert_int_equal(secret_dup(NULL, &copy), 0);
        assert_true(secret_equal(s, copy));
}

static void one_different_byte_makes_secrets_differ(void **state) {
        uint8_t data[64] = {};
        _cleanup_secret_ Secret *a = NULL, *shorter = NULL;

        assert_int_equal(secret_new(data, sizeof(data), &a), 0);
        for (size_t i = 0; i < 8 * sizeof(data); i++) {
                _cleanup_secret_ Secret *b = NULL;

                data[i / 8] ^= (uint8_t) (1 << i % 8);
                assert_int_equal(secret_new(data, sizeof(data), &b), 0);
                assert_false(secret_equal(a, b));
                data[i / 8] = 0;
        }
        assert_int_equal(secret_new(data, sizeof(data) - 1, &shorter), 0);
        assert_false(secret_equal(a, shorter));
}

static void a_secret_can_be_written_and_shortened(void **state) {
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(secret_new_zero(8, &s), 0);
        assert_content(s, "\0\0\0\0\0\0\0\0", 8);
        memcpy(secret_writable(s).iov_base, "abcdefgh", 8);
        secret_truncate(s, 3);
        assert_content(s, "abc", 3);
        assert_true(secret_is_string(s));
        assert_memory_equal((char *) secret_peek(s).iov_base + 3, "\0\0\0\0\0", 5);
        secret_truncate(s, 3);
        secret_truncate(s, 0);
        assert_content(s, "", 0);
        secret_truncate(NULL, 0);
}

static void blanks_at_the_end_go_and_nothing_else(void **state) {
        static const struct {
                const char *in;
                size_t size, kept;
        } rows[] = {
                { " a b \t\r\n", 8, 4 }, { "a", 1, 1 }, { "\n \n", 3, 0 }, { "a\n\0", 3, 3 }, { "", 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_secret_ Secret *s = NULL;

                assert_int_equal(secret_new(rows[i].in, rows[i].size, &s), 0);
                secret_cut_blanks(s);
                assert_content(s, rows[i].in, rows[i].kept);
        }
        secret_cut_blanks(NULL);
}

static void parts_are_joined_in_order(void **state) {
        _cleanup_secret_ Secret *user = NULL, *colon = NULL, *word = NULL, *joined = NULL, *nothing = NULL;

        assert_int_equal(secret_new_string("org+robot", &user), 0);
        assert_int_equal(secret_new_string(":", &colon), 0);
        assert_int_equal(secret_new("p\0q", 3, &word), 0);

        const Secret *parts[] = { user, colon, NULL, word };

        assert_int_equal(secret_join(parts, ELEMENTSOF(parts), &joined), 0);
        assert_content(joined, "org+robot:p\0q", 13);
        assert_int_equal(secret_join(NULL, 0, &nothing), 0);
        assert_content(nothing, "", 0);
}

static void more_than_16_mib_is_refused(void **state) {
        const size_t limit = (size_t) 16 << 20;
        _cleanup_secret_ Secret *most = NULL, *one = NULL, *over = NULL;

        assert_int_equal(secret_new_zero(limit, &most), 0);
        assert_int_equal(secret_new_zero(limit + 1, &over), -E2BIG);
        assert_int_equal(secret_new_zero(SIZE_MAX, &over), -E2BIG);
        assert_int_equal(secret_new("x", 1, &one), 0);

        const Secret *parts[] = { most, one };

        assert_int_equal(secret_join(parts, ELEMENTSOF(parts), &over), -E2BIG);
        assert_null(over);
}

static void freeing_leaves_no_copy_in_memory(void **state) {
        Secret *s, *copy, *joined;
        size_t before;

        assert_int_equal(secret_new_zero(256, &s), 0);
        pattern_fill((char *) secret_writable(s).iov_base + 64, 1);
        before = pattern_count(1);
        assert_true(before >= 1);
        assert_int_equal(secret_dup(s, &copy), 0);
        assert_int_equal(secret_join((const Secret *const[]){ s, copy }, 2, &joined), 0);
        assert_int_equal(pattern_count(1), before + 3);
        secret_free(s);
        secret_free(copy);
        secret_free(joined);
        assert_int_equal(pattern_count(1), 0);
}

static void cutting_leaves_no_copy_in_memory(void **state) {
        _cleanup_secret_ Secret *s = NULL;

        assert_int_equal(secret_new_zero(256, &s), 0);
        pattern_fill((char *) secret_writable(s).iov_base + 64, 2);
        assert_int_equal(pattern_count(2), 1);
        secret_truncate(s, 64);
        assert_int_equal(pattern_count(2), 0);
}

static void taking_a_buffer_erases_it_also_on_failure(void **state) {
        Secret *s = NULL;
        char *data = calloc(1, 256);

        pattern_fill(data + 64, 3);
        assert_int_equal(secret_new_take(data, 256, &s), 0);
        assert_int_equal(pattern_count(3), 1);
        secret_free(s);
        assert_int_equal(pattern_count(3), 0);

        s = NULL;
        data = calloc(1, ((size_t) 16 << 20) + 1);
        pattern_fill(data + 64, 4);
        assert_int_equal(secret_new_take(data, ((size_t) 16 << 20) + 1, &s), -E2BIG);
        assert_int_equal(pattern_count(4), 0);
        assert_int_equal(secret_new_take(NULL, 0, &s), 0);
        secret_free(s);
}

static void strings_are_erased_when_freed(void **state) {
        char *s = calloc(1, 256);

        for (size_t i = 0; i < 255; i++)
                s[i] = 'x';
        pattern_fill(s + 64, 5);
        assert_null(memchr(s, 0, 255));
        assert_int_equal(pattern_count(5), 1);
        assert_null(erase_and_free(s));
        assert_int_equal(pattern_count(5), 0);
        assert_null(erase_and_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(content_comes_out_as_it_went_in_with_a_nul_behind),
                cmocka_unit_test(an_empty_secret_is_not_null),
                cmocka_unit_test(one_different_byte_makes_secrets_differ),
                cmocka_unit_test(a_secret_can_be_written_and_shortened),
                cmocka_unit_test(blanks_at_the_end_go_and_nothing_else),
                cmocka_unit_test(parts_are_joined_in_order),
                cmocka_unit_test(more_than_16_mib_is_refused),
                cmocka_unit_test(freeing_leaves_no_copy_in_memory),
                cmocka_unit_test(cutting_leaves_no_copy_in_memory),
                cmocka_unit_test(taking_a_buffer_erases_it_also_on_failure),
                cmocka_unit_test(strings_are_erased_when_freed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
