/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* base64 and base64url (RFC 4648), strict.
 *
 * Owns nothing; results are Secrets, for a credential in base64 is a credential. Refuses everything that
 * another reader might take differently: blanks, line breaks, missing or surplus padding, bits that nothing
 * uses. */

#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "codec/base64.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

#define STANDARD LETTERS "+/"
#define URL LETTERS "-_"

/* The letters of one to three bytes. Returns how many they are without padding. */
static size_t encode_group(const uint8_t *in, size_t n, const char *alphabet, char out[static 4]) {
        uint8_t second = n > 1 ? in[1] : 0, third = n > 2 ? in[2] : 0;

        out[0] = alphabet[in[0] >> 2];
        out[1] = alphabet[(in[0] & 3) << 4 | second >> 4];
        out[2] = alphabet[(second & 15) << 2 | third >> 6];
        out[3] = alphabet[third & 63];
        return n + 1;
}

/* Without padding. Returns the place behind. */
static char *write_letters(const uint8_t *in, size_t size, const char *alphabet, char *out) {
        char last[4];

        for (; size >= 3; size -= 3, in += 3)
                out += encode_group(in, 3, alphabet, out);
        if (size > 0)
                out = mempcpy(out, last, encode_group(in, size, alphabet, last));
        explicit_bzero(last, sizeof(last));
        return out;
}

size_t base64_size(size_t size) {
        return size / 3 * 4 + (size % 3 > 0 ? 4 : 0);
}

char *base64_write(const void *data, size_t size, char *out) {
        out = write_letters(data, size, STANDARD, out);
        for (size_t n = size % 3; n > 0 && n < 3; n++)
                *out++ = '=';
        return out;
}

bool base64_is(const char *text, size_t text_size, const void *data, size_t size) {
        bool same = text_size == base64_size(size);
        const uint8_t *in = data;
        char group[4];

        for (size_t n; same && size > 0; text += 4, in += n, size -= n) {
                n = MIN(size, 3U);
                (void) base64_write(in, n, group);
                same = memcmp(text, group, sizeof(group)) == 0;
        }
        explicit_bzero(group, sizeof(group));
        return same;
}

int base64_encode(const void *data, size_t size, Secret **ret) {
        Secret *s;

        /* A Secret cannot hold it, and the length might wrap. */
        if (size > SIZE_MAX / 2 || secret_new_zero(base64_size(size), &s) < 0)
                return -ENOMEM;
        (void) base64_write(data, size, secret_writable(s).iov_base);
        *ret = s;
        return 0;
}

int base64url_encode(const void *data, size_t size, Secret **ret) {
        size_t rest = size % 3;
        Secret *s;

        if (size > SIZE_MAX / 2 || secret_new_zero(size / 3 * 4 + (rest > 0 ? rest + 1 : 0), &s) < 0)
                return -ENOMEM;
        (void) write_letters(data, size, URL, secret_writable(s).iov_base);
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

int base64_decode(const char *text, size_t size, Secret **ret) {
        if (size % 4 != 0)
                return -EBADMSG;
        if (size > 0 && text[size - 1] == '=')
                size -= text[size - 2] == '=' ? 2 : 1;
        return decode(text, size, '+', '/', ret);
}

int base64url_decode(const char *text, size_t size, Secret **ret) {
        return decode(text, size, '-', '_', ret);
}
