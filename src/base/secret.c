/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one container for bytes that must not be seen. Owns its copy and erases the whole of it, also what
 * a truncation cut off, before the memory goes back. It refuses to print, to compare in a time that tells
 * where two secrets differ, and to hold more than 16 MiB, which no token, key or file of ours comes near. */

#include <string.h>

#include "base/secret.h"
#include "base/text.h"

#define SIZE_LIMIT ((size_t) 16 * 1024 * 1024)

struct Secret {
        size_t size;
        size_t allocated; /* of data, without the final NUL */
        uint8_t data[];
};

int secret_new_zero(size_t size, Secret **ret) {
        Secret *s;

        if (size > SIZE_LIMIT)
                return -E2BIG;
        s = calloc(1, sizeof(Secret) + size + 1);
        if (!s)
                return -ENOMEM;
        s->size = s->allocated = size;
        *ret = s;
        return 0;
}

int secret_new(const void *data, size_t size, Secret **ret) {
        Secret *s;
        int r;

        r = secret_new_zero(size, &s);
        if (r < 0)
                return r;
        if (size > 0)
                memcpy(s->data, data, size);
        *ret = s;
        return 0;
}

int secret_new_take(void *data, size_t size, Secret **ret) {
        int r = secret_new(data, size, ret);

        if (data)
                explicit_bzero(data, size);
        free(data);
        return r;
}

int secret_new_string(const char *text, Secret **ret) {
        return secret_new(text, strlen(text), ret);
}

int secret_join(const Secret *const *parts, size_t n_parts, Secret **ret) {
        size_t size = 0, at = 0;
        Secret *s;
        int r;

        for (size_t i = 0; i < n_parts; i++) {
                size += secret_size(parts[i]);
                if (size > SIZE_LIMIT)
                        return -E2BIG;
        }
        r = secret_new_zero(size, &s);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_parts; i++) {
                struct iovec part = secret_peek(parts[i]);

                if (part.iov_len > 0)
                        memcpy(s->data + at, part.iov_base, part.iov_len);
                at += part.iov_len;
        }
        *ret = s;
        return 0;
}

Secret *secret_free(Secret *s) {
        if (s)
                explicit_bzero(s, sizeof(Secret) + s->allocated);
        free(s);
        return NULL;
}

int secret_dup(const Secret *s, Secret **ret) {
        struct iovec content = secret_peek(s);

        return secret_new(content.iov_base, content.iov_len, ret);
}

struct iovec secret_peek(const Secret *s) {
        return s ? (struct iovec){ (void *) s->data, s->size } : (struct iovec){};
}

struct iovec secret_writable(Secret *s) {
        return secret_peek(s);
}

size_t secret_size(const Secret *s) {
        return s ? s->size : 0;
}

void secret_truncate(Secret *s, size_t size) {
        if (!s || size >= s->size)
                return;
        explicit_bzero(s->data + size, s->size - size);
        s->size = size;
}

void secret_cut_blanks(Secret *s) {
        struct iovec bytes = secret_peek(s);
        const char *data = bytes.iov_base;

        /* strchr() finds a NUL in every string. */
        while (bytes.iov_len > 0 && data[bytes.iov_len - 1] && strchr(WHITESPACE, data[bytes.iov_len - 1]))
                bytes.iov_len--;
        secret_truncate(s, bytes.iov_len);
}

bool secret_equal(const Secret *a, const Secret *b) {
        volatile uint8_t difference = 0;

        if (!a || !b)
                return a == b;
        if (a->size != b->size)
                return false;
        for (size_t i = 0; i < a->size; i++)
                difference = difference | (a->data[i] ^ b->data[i]);
        return difference == 0;
}

bool secret_is_string(const Secret *s) {
        return s && !memchr(s->data, 0, s->size);
}

char *erase_and_free(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
        free(s);
        return NULL;
}
