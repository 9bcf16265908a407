/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* base64 in its two alphabets (RFC 4648), strict in both directions.
 *
 * Owns nothing. Refuses everything that has a second spelling: blanks, missing or surplus padding, set bits
 * behind the end. Results are Secrets, for what is encoded here is secret more often than not. */

#include <errno.h>

#include "codec/base64.h"

#define INVALID 0xff

typedef struct Alphabet {
        const char *digits;
        bool padded;
} Alphabet;

static const Alphabet standard = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true };
static const Alphabet url = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false };

static uint8_t digit_value(const Alphabet *a, char c) {
        if (c >= 'A' && c <= 'Z')
                return (uint8_t) (c - 'A');
        if (c >= 'a' && c <= 'z')
                return (uint8_t) (c - 'a' + 26);
        if (c >= '0' && c <= '9')
                return (uint8_t) (c - '0' + 52);
        if (c == a->digits[62])
                return 62;
        return c == a->digits[63] ? 63 : INVALID;
}

static int encode(const Alphabet *a, const uint8_t *data, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        size_t rest = size % 3, n = size / 3 * 4 + (rest == 0 ? 0 : a->padded ? 4 : rest + 1);
        char *out;
        int r;

        r = secret_new_zero(n, &s);
        if (r < 0)
                return r;
        out = secret_writable(s).iov_base;
        for (size_t i = 0; i < size; i += 3) {
                size_t left = size - i;
                uint32_t group = (uint32_t) data[i] << 16 | (left > 1 ? (uint32_t) data[i + 1] << 8 : 0) |
                                 (left > 2 ? data[i + 2] : 0U);

                for (unsigned digit = 0; digit < 4; digit++)
                        if (digit <= left)
                                *out++ = a->digits[group >> (18 - 6 * digit) & 63];
                        else if (a->padded)
                                *out++ = '=';
        }
        *ret = TAKE_PTR(s);
        return 0;
}

static int decode(const Alphabet *a, const char *text, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        uint32_t bits = 0;
        unsigned n_bits = 0;
        uint8_t *out;
        int r;

        if (a->padded) {
                if (size % 4 != 0)
                        return -EBADMSG;
                for (unsigned i = 0; i < 2 && size > 0 && text[size - 1] == '='; i++)
                        size--;
        }
        if (size % 4 == 1)
                return -EBADMSG;
        r = secret_new_zero(size / 4 * 3 + (size % 4 == 0 ? 0 : size % 4 - 1), &s);
        if (r < 0)
                return r;
        out = secret_writable(s).iov_base;
        for (size_t i = 0; i < size; i++) {
                uint8_t value = digit_value(a, text[i]);

                if (value == INVALID)
                        return -EBADMSG;
                bits = bits << 6 | value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        *out++ = (uint8_t) (bits >> n_bits);
                        bits &= (1U << n_bits) - 1;
                }
        }
        if (bits != 0)
                return -EBADMSG;
        *ret = TAKE_PTR(s);
        return 0;
}

int base64_encode(const void *data, size_t size, Secret **ret) {
        return encode(&standard, data, size, ret);
}

int base64_decode(const char *text, size_t size, Secret **ret) {
        return decode(&standard, text, size, ret);
}

int base64url_encode(const void *data, size_t size, Secret **ret) {
        return encode(&url, data, size, ret);
}

int base64url_decode(const char *text, size_t size, Secret **ret) {
        return decode(&url, text, size, ret);
}
