/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* base64 and base64url (RFC 4648), strict.
 *
 * Owns nothing; results are Secrets, for a credential in base64 is a credential. Refuses everything that
 * another reader might take differently: blanks, line breaks, missing or surplus padding, bits that nothing
 * uses. */

#include <errno.h>
#include <string.h>

#include "codec/base64.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static int encode(const void *data, size_t size, const char *alphabet, bool padding, Secret **ret) {
        size_t rest = size % 3, length = size / 3 * 4 + (rest == 0 ? 0 : padding ? 4 : rest + 1);
        const uint8_t *in = data;
        Secret *s;
        char *out;
        int r;

        /* A Secret cannot hold it, and the length might have wrapped. */
        if (size > SIZE_MAX / 2)
                return -ENOMEM;
        r = secret_new_zero(length, &s);
        if (r < 0)
                return -ENOMEM;
        out = secret_writable(s).iov_base;
        for (; size >= 3; size -= 3, in += 3) {
                *out++ = alphabet[in[0] >> 2];
                *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
                *out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
                *out++ = alphabet[in[2] & 63];
        }
        if (rest > 0) {
                uint8_t second = rest == 2 ? in[1] : 0;

                *out++ = alphabet[in[0] >> 2];
                *out++ = alphabet[(in[0] & 3) << 4 | second >> 4];
                if (rest == 2)
                        *out++ = alphabet[(second & 15) << 2];
                for (; padding && rest < 3; rest++)
                        *out++ = '=';
        }
        *ret = s;
        return 0;
}

/* The six bits of a letter, or a negative number. No table that secrets would index. */
static int decode_letter(char c, char letter62, char letter63) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == letter62)
                return 62;
        return c == letter63 ? 63 : -1;
}

/* `text` has no padding any more. */
static int decode(const char *text, size_t size, char letter62, char letter63, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        uint32_t bits = 0;
        unsigned n_bits = 0;
        uint8_t *out;
        int r;

        if (size % 4 == 1)
                return -EBADMSG;
        r = secret_new_zero(size / 4 * 3 + size % 4 * 3 / 4, &s);
        if (r < 0)
                return r == -E2BIG ? -EBADMSG : r;
        out = secret_writable(s).iov_base;
        for (size_t i = 0; i < size; i++) {
                int six = decode_letter(text[i], letter62, letter63);

                if (six < 0)
                        return -EBADMSG;
                bits = bits << 6 | (uint32_t) six;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        *out++ = (uint8_t) (bits >> n_bits);
                }
        }
        if ((bits & ((UINT32_C(1) << n_bits) - 1)) != 0)
                return -EBADMSG;
        *ret = TAKE_PTR(s);
        return 0;
}

int base64_encode(const void *data, size_t size, Secret **ret) {
        return encode(data, size, LETTERS "+/", /* padding= */ true, ret);
}

int base64_decode(const char *text, size_t size, Secret **ret) {
        if (size % 4 != 0)
                return -EBADMSG;
        if (size > 0 && text[size - 1] == '=')
                size -= text[size - 2] == '=' ? 2 : 1;
        return decode(text, size, '+', '/', ret);
}

int base64url_encode(const void *data, size_t size, Secret **ret) {
        return encode(data, size, LETTERS "-_", /* padding= */ false, ret);
}

int base64url_decode(const char *text, size_t size, Secret **ret) {
        return decode(text, size, '-', '_', ret);
}
