/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hash has the value that other programs compute, and tells lists of parts apart. */

#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "unit.h"

static void hash_is(const HashPart *parts, size_t n, const char *wanted) {
        uint8_t hash[HASH_SIZE];
        char hex[HASH_HEX_SIZE];

        hash_parts(parts, n, hash);
        hash_hex(hash, hex);
        assert_string_equal(hex, wanted);
}

/* Computed with Python's hashlib: sha256(b''.join(len(p).to_bytes(8, 'big') + p for p in parts)) */
static void hashes_are_sha256_over_lengths_and_parts(void **state) {
        char many[100];

        for (size_t i = 0; i < sizeof(many); i++)
                many[i] = 'a';
        hash_is(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        hash_is((HashPart[]){ { "abc", 3 } }, 1,
                "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415251e5d09e12f");
        hash_is((HashPart[]){ { many, sizeof(many) }, { NULL, 0 }, { "\0\xff", 2 } }, 3,
                "fb3b2ed962de1b4b4c37510103a50ec4dc237a06c365e0692d55aedfcef6d624");
}

static void no_two_lists_collide_by_their_concatenation(void **state) {
        static const HashPart lists[][3] = {
                { { "abc", 3 } },
                { { "ab", 2 }, { "c", 1 } },
                { { "a", 1 }, { "bc", 2 } },
                { { "abc", 3 }, { "", 0 } },
                { { "", 0 }, { "abc", 3 } },
                { { "a", 1 }, { "b", 1 }, { "c", 1 } },
        };
        static const size_t lengths[] = { 1, 2, 2, 2, 2, 3 };
        uint8_t hashes[ELEMENTSOF(lists)][HASH_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                hash_parts(lists[i], lengths[i], hashes[i]);
                for (size_t k = 0; k < i; k++)
                        assert_memory_not_equal(hashes[i], hashes[k], HASH_SIZE);
        }
}

static void hexadecimal_digits_are_lower_case_and_in_order(void **state) {
        uint8_t hash[HASH_SIZE];
        char hex[HASH_HEX_SIZE];

        for (size_t i = 0; i < HASH_SIZE; i++)
                hash[i] = (uint8_t) (i * 0x11);
        hash_hex(hash, hex);
        assert_int_equal(strlen(hex), 64);
        assert_non_null(startswith(hex, "00112233445566778899aabbccddeeff10213243"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(hashes_are_sha256_over_lengths_and_parts),
                cmocka_unit_test(no_two_lists_collide_by_their_concatenation),
                cmocka_unit_test(hexadecimal_digits_are_lower_case_and_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
