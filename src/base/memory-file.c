/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memfd_create(2), filled and sealed.
 *
 * Owns the descriptor until all of it went well. Refuses to hand out a file that could still be written:
 * who gets it may keep a mapping of it, and so would whoever gave it. */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory-file.h"

/* Linux 6.3; headers may be older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

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
