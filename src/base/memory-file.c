/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memfd_create(2), filled and sealed.
 *
 * Owns the descriptor until all of it went well. Refuses to hand out a file that could still be written:
 * who gets it may keep a mapping of it, and so would whoever gave it. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory-file.h"

/* Linux 6.3; headers may be older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Without these it could change under who reads it. */
#define SEALS_READ (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Where the kernel knows it, the file cannot become a program either; hosts may demand that
 * (vm.memfd_noexec=2). */
static int create(const char *name) {
        int fd;

        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

int memory_file_new(const char *name, const void *data, size_t size, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        size_t done = 0;

        fd = create(name);
        if (fd < 0)
                return fd;
        /* At offsets, for the position belongs to whoever gets the descriptor. */
        while (done < size) {
                ssize_t n = pwrite(fd, (const char *) data + done, size - done, (off_t) done);

                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                done += (size_t) n;
        }
        if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int memory_file_read(int fd, size_t max, Secret **ret) {
        _cleanup_secret_ Secret *s = NULL;
        int seals = fcntl(fd, F_GET_SEALS);
        struct iovec v;
        struct stat st;
        size_t done = 0;
        int r;

        if (seals < 0 || (seals & SEALS_READ) != SEALS_READ)
                return -EBADMSG;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (size_t) st.st_size > max)
                return -EBADMSG;
        r = secret_new_zero((size_t) st.st_size, &s);
        if (r < 0)
                return r;
        v = secret_writable(s);
        while (done < v.iov_len) {
                ssize_t n = pread(fd, (char *) v.iov_base + done, v.iov_len - done, (off_t) done);

                if (n <= 0)
                        return n < 0 ? -errno : -EBADMSG;
                done += (size_t) n;
        }
        *ret = TAKE_PTR(s);
        return 0;
}
