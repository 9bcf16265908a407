/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The prefix of a message, and the two fields that say how a call ended. */

#include "base/text.h"
#include "codec/grpc.h"
#include "unit.h"

static void a_status_is_a_number_of_the_list_or_unknown(void **state) {
        assert_int_equal(grpc_status_parse("0"), GRPC_OK);
        assert_int_equal(grpc_status_parse("7"), GRPC_PERMISSION_DENIED);
        assert_int_equal(grpc_status_parse("16"), GRPC_UNAUTHENTICATED);
        assert_int_equal(grpc_status_parse("17"), GRPC_UNKNOWN);
        assert_int_equal(grpc_status_parse("4294967295"), GRPC_UNKNOWN);
        assert_true(grpc_status_parse(NULL) < 0);
        assert_true(grpc_status_parse("") < 0);
        assert_true(grpc_status_parse("-1") < 0);
        assert_true(grpc_status_parse("0x0") < 0);
        assert_true(grpc_status_parse("0 ") < 0);
}

static void messages_lose_their_escapes_and_nothing_else(void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "no identity issued", "no identity issued" },
                { "w%C3%B6rds%0a", "w\xc3\xb6rds\n" },
                { "100%", "100%" },
                { "%4", "%4" },
                { "%zz%%41", "%zz%A" },
                { "a%00b", "a%00b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = NULL;

                assert_ok(grpc_message_decode(rows[i][0], &text));
                assert_string_equal(text, rows[i][1]);
        }
}

static void the_prefix_is_a_zero_and_the_size(void **state) {
        uint8_t bytes[GRPC_PREFIX_SIZE];

        grpc_prefix(bytes, 0x01020304);
        assert_memory_equal(bytes, "\0\1\2\3\4", sizeof(bytes));
}

static int find(const char *data, size_t size, size_t *ret_size) {
        const uint8_t *message;
        int r = grpc_message_find(data, size, &message, ret_size);

        if (r >= 0)
                assert_ptr_equal(message, data + GRPC_PREFIX_SIZE);
        return r;
}

static void an_answer_is_one_whole_message(void **state) {
        size_t size;

        assert_int_equal(find("\0\0\0\0\2ab", 7, &size), 0);
        assert_int_equal(size, 2);
        assert_int_equal(find("\0\0\0\0\0", 5, &size), 0);
        assert_int_equal(size, 0);
        assert_int_equal(find(NULL, 0, &size), -EBADMSG);
        assert_int_equal(find("\0\0\0\0", 4, &size), -EBADMSG);
        assert_int_equal(find("\0\0\0\0\2a", 6, &size), -EBADMSG);
        assert_int_equal(find("\0\0\0\0\1ab", 7, &size), -EBADMSG);
        assert_int_equal(find("\0\xff\xff\xff\xff"
                              "ab",
                              7, &size),
                         -EBADMSG);
        assert_int_equal(find("\2\0\0\0\2ab", 7, &size), -EBADMSG);
        assert_int_equal(find("\1\0\0\0\2ab", 7, &size), -EOPNOTSUPP);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_status_is_a_number_of_the_list_or_unknown),
                cmocka_unit_test(messages_lose_their_escapes_and_nothing_else),
                cmocka_unit_test(the_prefix_is_a_zero_and_the_size),
                cmocka_unit_test(an_answer_is_one_whole_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
