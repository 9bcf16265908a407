/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fields of a message come out as they went in, and what is no message is said to be none. */

#include "codec/protobuf.h"
#include "draw.h"
#include "unit.h"

#define READER(bytes) ((ProtobufReader){ (const uint8_t *) (bytes), sizeof(bytes) - 1 })

static void a_field_is_as_the_standard_writes_it(void **state) {
        uint8_t bytes[16];

        assert_int_equal(protobuf_put(NULL, 1, "quay", 4), 6);
        assert_int_equal(protobuf_put(bytes, 1, "quay", 4), 6);
        assert_memory_equal(bytes, "\x0a\x04quay", 6);
        assert_int_equal(protobuf_put(bytes, 200, NULL, 0), 3);
        assert_memory_equal(bytes, "\xc2\x0c\x00", 3);
}

static void what_was_put_is_read(void **state) {
        Draw d = { 7 };

        for (unsigned i = 0; i < 300; i++) {
                uint32_t number = 1 + (uint32_t) draw_below(&d, (UINT32_C(1) << 29) - 1);
                size_t size = draw_below(&d, 40000), whole = protobuf_put(NULL, number, NULL, size);
                _cleanup_free_ uint8_t *data = calloc(1, size + 1), *bytes = malloc(whole);
                ProtobufReader r = { bytes, whole };
                ProtobufField f;

                assert_non_null(data);
                assert_non_null(bytes);
                data[size / 2] = (uint8_t) draw(&d);
                assert_int_equal(protobuf_put(bytes, number, data, size), whole);
                assert_int_equal(protobuf_next(&r, &f), 1);
                assert_int_equal(f.number, number);
                assert_int_equal(f.type, PROTOBUF_BYTES);
                assert_int_equal(f.size, size);
                assert_memory_equal(f.data, data, size);
                assert_int_equal(protobuf_next(&r, &f), 0);
                /* Without its end it is none. */
                for (size_t cut = 0; cut < whole; cut += 1 + whole / 8) {
                        r = (ProtobufReader){ bytes, cut };
                        assert_int_equal(protobuf_next(&r, &f), cut == 0 ? 0 : -EBADMSG);
                }
        }
}

static void numbers_of_all_widths_are_passed_over(void **state) {
        ProtobufReader r = READER("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                  "\x11"
                                  "12345678"
                                  "\x1d"
                                  "1234"
                                  "\x22\x01x");
        ProtobufField f;

        for (unsigned i = 1; i <= 3; i++) {
                assert_int_equal(protobuf_next(&r, &f), 1);
                assert_int_equal(f.number, i);
                assert_int_equal(f.type, PROTOBUF_NUMBER);
        }
        assert_int_equal(protobuf_next(&r, &f), 1);
        assert_int_equal(f.number, 4);
        assert_memory_equal(f.data, "x", 1);
        assert_int_equal(protobuf_next(&r, &f), 0);
}

static void what_is_no_message(void **state) {
        static const ProtobufReader rows[] = {
                READER("\x02\x00"), /* number 0 */
                READER("\x0b\x0c"), /* a group */
                READER("\x0e\x00"),
                READER("\x0f\x00"), /* no wire type */
                READER("\x08"),
                READER("\x08\x80"),
                READER("\x09\x01"), /* cut */
                READER("\x0d\x01\x02\x03"),
                READER("\x0a\x02x"),
                READER("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), /* longer than the address space */
                READER("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),  /* 65 bits */
                READER("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
                READER("\x82\x80\x80\x80\x10\x00"), /* number 2^29 */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ProtobufReader r = rows[i];
                ProtobufField f;

                assert_int_equal(protobuf_next(&r, &f), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_field_is_as_the_standard_writes_it),
                cmocka_unit_test(what_was_put_is_read),
                cmocka_unit_test(numbers_of_all_widths_are_passed_over),
                cmocka_unit_test(what_is_no_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
