/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pipes of a program that lives for one question.
 *
 * Owns nothing: the descriptors are the caller's. Refuses to go on reading where more comes than somebody
 * who is well would send. */

#include <errno.h>
#include <unistd.h>

#include "base/stream.h"

static int read_more(int fd, char *data, size_t size, size_t *used) {
        while (*used < size) {
                ssize_t n = read(fd, data + *used, size - *used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                *used += (size_t) n;
        }
        return 0;
}

int stream_read(int fd, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        size_t used = 0;
        int r;

        r = secret_new_zero(max + 1, &s);
        if (r < 0)
                return r;
        r = read_more(fd, secret_writable(s).iov_base, max + 1, &used);
        if (r < 0)
                return r;
        if (used > max)
                return -EFBIG;
        secret_truncate(s, used);
        *ret = TAKE_PTR(s);
        return 0;
}

int stream_write(int fd, const Secret *s) {
        struct iovec v = secret_peek(s);
        const char *p = v.iov_base;

        while (v.iov_len > 0) {
                ssize_t n = write(fd, p, v.iov_len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                v.iov_len -= (size_t) n;
        }
        return 0;
}
