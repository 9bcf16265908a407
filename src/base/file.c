/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading files and opening directories that other programs write to. Owns nothing but the descriptors it
 * is at work with. All checks are made on the open descriptor, never on a path beforehand, so there is
 * nothing to race with; it refuses what is no regular file, what is larger than the caller allows, and
 * directories that somebody else could exchange the content of. */

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/param.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/text.h"

static bool is_ours_alone(const struct stat *st) {
        return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Reads from the present position until the end or until `size` bytes. Returns how many. */
static ssize_t read_full(int fd, void *data, size_t size) {
        size_t have = 0;

        while (have < size) {
                ssize_t n = read(fd, (uint8_t *) data + have, size - have);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                have += (size_t) n;
        }
        return (ssize_t) have;
}

/* The size in `st` is a guess: the file may grow while it is read, and files of /proc and /sys say 0. A
 * buffer that was filled to its last byte is too small for knowing that the end was reached. */
static int read_regular(int fd, const struct stat *st, size_t max, Secret **ret) {
        size_t size = MIN(MAX((size_t) st->st_size, (size_t) 4095), max) + 1, have = 0;
        _cleanup_secret_ Secret *content = NULL;
        int r;

        for (;;) {
                _cleanup_secret_ Secret *larger = NULL;
                struct iovec from = secret_peek(content), to;
                ssize_t n;

                r = secret_new_zero(size, &larger);
                if (r < 0)
                        return r;
                to = secret_writable(larger);
                if (have > 0)
                        memcpy(to.iov_base, from.iov_base, have);
                n = read_full(fd, (uint8_t *) to.iov_base + have, to.iov_len - have);
                if (n < 0)
                        return (int) n;
                have += (size_t) n;
                secret_free(content);
                content = TAKE_PTR(larger);
                if (have < size)
                        break;
                if (have > max)
                        return -EFBIG;
                size = MIN(2 * size - 1, max) + 1;
        }
        secret_truncate(content, have);
        *ret = TAKE_PTR(content);
        return 0;
}

int file_read(int dir_fd, const char *path, size_t max, FileReadFlags flags, Secret **ret,
              struct stat *ret_stat) {
        _cleanup_secret_ Secret *content = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        fd = openat(dir_fd, path,
                    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                            (flags & FILE_READ_FOLLOW ? 0 : O_NOFOLLOW));
        /* A socket, or a device without a driver. */
        if (fd < 0)
                return errno == ENXIO ? -EMEDIUMTYPE : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EMEDIUMTYPE;
        if ((flags & FILE_READ_OWNED) && !is_ours_alone(&st))
                return -EPERM;
        if (st.st_size > 0 && (uint64_t) st.st_size > max)
                return -EFBIG;
        r = read_regular(fd, &st, max, &content);
        if (r < 0)
                return r;
        if (!(flags & FILE_READ_ALLOW_NUL) && !secret_is_string(content))
                return -EBADMSG;
        if (ret_stat)
                *ret_stat = st;
        *ret = TAKE_PTR(content);
        return 0;
}

/* Checks what openat2() cannot tell, and cuts `path` into directory and name. */
static int split_path(const char *path, char **ret_directory, const char **ret_name) {
        const char *name;
        char *directory;
        size_t size;

        if (path[0] != '/')
                return -EINVAL;
        for (const char *p = path; *p;) {
                size_t length = strcspn(p, "/");

                if (length == 2 && strncmp(p, "..", 2) == 0)
                        return -EINVAL;
                p += length + (p[length] == '/');
        }
        name = strrchr(path, '/') + 1;
        if (isempty(name) || streq(name, "."))
                return -EINVAL;
        size = (size_t) (name - path);
        while (size > 1 && path[size - 1] == '/')
                size--;
        directory = strndup(path, size);
        if (!directory)
                return -ENOMEM;
        *ret_directory = directory;
        *ret_name = name;
        return 0;
}

/* One component further, links refused. A link itself can be opened with O_PATH|O_NOFOLLOW, so look at
 * what came. */
static int step_into(int dir_fd, const char *component) {
        _cleanup_close_ int fd = openat(dir_fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        return TAKE_FD(fd);
}

/* Goes down `path`, component by component, and moves *fd along. On failure `path` is cut behind the
 * component that cannot be passed. */
static int descend(int *fd, char *path) {
        for (char *p = path + strspn(path, "/"); *p;) {
                char *end = p + strcspn(p, "/"), kept = *end;
                int next;

                *end = '\0';
                next = step_into(*fd, p);
                if (next < 0)
                        return next;
                closep(fd);
                *fd = next;
                *end = kept;
                p = end + strspn(end, "/");
        }
        return 0;
}

/* What openat2() does below, for kernels without it and for sandboxes that forbid it; and, since it knows
 * where it came to a halt, for telling that. */
static int walk(const char *directory, char **reterr_component) {
        _cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *path = strdup(directory);
        int r;

        if (!path)
                return -ENOMEM;
        if (fd < 0)
                return -errno;
        r = descend(&fd, path);
        if (r >= 0) {
                /* For reading, so that it can be listed and synced. */
                r = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = r < 0 ? -errno : r;
        }
        if (r < 0 && reterr_component)
                *reterr_component = TAKE_PTR(path);
        return r;
}

static int open_without_links(const char *directory, char **reterr_component) {
        const struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int fd = (int) syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof(how));

        return fd >= 0 ? fd : walk(directory, reterr_component);
}

int dir_open_trusted(const char *path, int *ret_dir_fd, const char **ret_name, char **reterr_component) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int fd = -EBADF;
        const char *name;
        struct stat st;
        int r;

        r = split_path(path, &directory, &name);
        if (r < 0)
                return r;
        fd = open_without_links(directory, reterr_component);
        if (fd < 0)
                return fd;
        r = fstat(fd, &st) < 0 ? -errno : is_ours_alone(&st) ? 0 : -EPERM;
        if (r < 0) {
                if (reterr_component)
                        *reterr_component = TAKE_PTR(directory);
                return r;
        }
        *ret_dir_fd = TAKE_FD(fd);
        *ret_name = name;
        return 0;
}
