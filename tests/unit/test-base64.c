/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both alphabets: known pairs, all lengths, and that nothing has two spellings. */

#include "draw.h"

#include "codec/base64.h"

typedef int (*Encode)(const void *data, size_t size, Secret **ret);
typedef int (*Decode)(const char *text, size_t size, Secret **ret);

static void assert_bytes(const Secret *s, const void *data, size_t size) {
        assert_int_equal(secret_size(s), size);
        if (size > 0)
                assert_memory_equal(secret_peek(s).iov_base, data, size);
}

static void assert_pair(Encode encode, Decode decode, const char *plain, size_t size, const char *text) {
        _cleanup_secret_ Secret *encoded = NULL, *decoded = NULL;

        assert_int_equal(encode(plain, size, &encoded), 0);
        assert_bytes(encoded, text, strlen(text));
        assert_int_equal(decode(text, strlen(text), &decoded), 0);
        assert_bytes(decoded, plain, size);
}

static void the_examples_of_the_rfc_hold(void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_pair(base64_encode, base64_decode, rows[i][0], strlen(rows[i][0]), rows[i][1]);
}

static void the_two_alphabets_differ_in_two_letters_and_in_padding(void **state) {
        assert_pair(base64_encode, base64_decode, "\xff\xef\xbe\x00", 4, "/+++AA==");
        assert_pair(base64url_encode, base64url_decode, "\xff\xef\xbe\x00", 4, "_---AA");
        assert_pair(base64url_encode, base64url_decode, "fo", 2, "Zm8");
}

static void what_is_encoded_comes_back(void **state) {
        static const struct {
                Encode encode;
                Decode decode;
        } rows[] = { { base64_encode, base64_decode }, { base64url_encode, base64url_decode } };
        Draw d = { 64 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t size = 0; size < 400; size++) {
                        _cleanup_secret_ Secret *encoded = NULL, *decoded = NULL;
                        struct iovec text;
                        uint8_t data[400];

                        for (size_t k = 0; k < size; k++)
                                data[k] = (uint8_t) draw(&d);
                        assert_int_equal(rows[i].encode(data, size, &encoded), 0);
                        text = secret_peek(encoded);
                        assert_int_equal(rows[i].decode(text.iov_base, text.iov_len, &decoded), 0);
                        assert_bytes(decoded, data, size);
                }
}

static void a_part_of_a_larger_text_is_written_and_known_again(void **state) {
        Draw d = { 65 };

        for (size_t size = 0; size < 100; size++) {
                _cleanup_secret_ Secret *encoded = NULL;
                uint8_t data[100];
                char text[200];
                struct iovec whole;

                for (size_t k = 0; k < size; k++)
                        data[k] = (uint8_t) draw(&d);
                memset(text, '!', sizeof(text));
                assert_int_equal(base64_encode(data, size, &encoded), 0);
                whole = secret_peek(encoded);
                assert_int_equal(base64_size(size), whole.iov_len);
                assert_ptr_equal(base64_write(data, size, text), text + whole.iov_len);
                assert_memory_equal(text, whole.iov_base, whole.iov_len);
                assert_int_equal(text[whole.iov_len], '!');
                assert_true(base64_is(text, whole.iov_len, data, size));
                assert_false(base64_is(text, whole.iov_len + 1, data, size));
                for (size_t k = 0; k < whole.iov_len; k++) {
                        char was = text[k];

                        text[k] = was == '=' ? 'A' : '=';
                        assert_false(base64_is(text, whole.iov_len, data, size));
                        text[k] = was;
                }
        }
}

static void nothing_has_a_second_spelling(void **state) {
        static const char letters[] = "AQgwz09+/-_= \n";
        Draw d = { 65 };
        unsigned n_read = 0;

        for (unsigned i = 0; i < 200000; i++) {
                _cleanup_secret_ Secret *decoded = NULL, *again = NULL;
                size_t size = draw_below(&d, 10);
                bool url = draw_below(&d, 2) == 1;
                char text[10];
                struct iovec bytes;
                int r;

                for (size_t k = 0; k < size; k++)
                        text[k] = letters[draw_below(&d, sizeof(letters) - 1)];
                r = (url ? base64url_decode : base64_decode)(text, size, &decoded);
                assert_true(r == 0 || r == -EBADMSG);
                if (r < 0) {
                        assert_null(decoded);
                        continue;
                }
                bytes = secret_peek(decoded);
                assert_int_equal(
                        (url ? base64url_encode : base64_encode)(bytes.iov_base, bytes.iov_len, &again), 0);
                assert_bytes(again, text, size);
                n_read++;
        }
        assert_in_range(n_read, 1000, 199999);
}

static void what_is_malformed_is_refused(void **state) {
        static const char *const rows[] = {
                "Z",        "Zg",   "Zg=",  "Zg===", "=",        "==",     "====",
                "Z===",     "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "Zm9v\n", " Zm9v",
                "Zm9vZm 9", "Zm-v", "Zm_v", "Z=g=",  "Zm9\xc3",  "Zg=\0",  "Zm9vZg=a",
        };
        static const char *const url_rows[] = { "Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9vZ", "Zg\n" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Secret *s = NULL;

                if (base64_decode(rows[i], strlen(rows[i]), &s) != -EBADMSG)
                        fail_msg("'%s' should be refused", rows[i]);
                assert_null(s);
        }
        for (size_t i = 0; i < ELEMENTSOF(url_rows); i++) {
                Secret *s = NULL;

                if (base64url_decode(url_rows[i], strlen(url_rows[i]), &s) != -EBADMSG)
                        fail_msg("'%s' should be refused", url_rows[i]);
        }
        assert_int_equal(base64_decode("Zm\0v", 4, &(Secret *){ NULL }), -EBADMSG);
}

static void a_null_pointer_of_no_size_is_nothing(void **state) {
        _cleanup_secret_ Secret *a = NULL, *b = NULL;

        assert_int_equal(base64_encode(NULL, 0, &a), 0);
        assert_int_equal(base64_decode(NULL, 0, &b), 0);
        assert_int_equal(secret_size(a) + secret_size(b), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_examples_of_the_rfc_hold),
                cmocka_unit_test(the_two_alphabets_differ_in_two_letters_and_in_padding),
                cmocka_unit_test(what_is_encoded_comes_back),
                cmocka_unit_test(a_part_of_a_larger_text_is_written_and_known_again),
                cmocka_unit_test(nothing_has_a_second_spelling),
                cmocka_unit_test(what_is_malformed_is_refused),
                cmocka_unit_test(a_null_pointer_of_no_size_is_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
