/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replacing a file as a whole. Owns the temporary file until it has its final name, and removes it on
 * each way out but that one. Everything is done on descriptors: the temporary is readable by nobody else
 * until it has its owner, attributes and mode, in this order. It refuses names with a slash, and to
 * weaken what protected the old file: an owner, mode or ACL that cannot be carried over ends the attempt. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/file-xattr.h"
#include "base/text.h"

#define RANDOM_DIGITS 16
#define PUT_BACK_TRIES 16

typedef struct Temporary {
        int dir_fd;
        int fd;
        char *name; /* NULL once there is nothing to remove */
} Temporary;

static void temporary_done(Temporary *t) {
        closep(&t->fd);
        if (t->name)
                (void) unlinkat(t->dir_fd, t->name, 0);
        free(t->name);
}

static bool is_name(const char *s) {
        return !isempty(s) && !strchr(s, '/') && !streq(s, ".") && !streq(s, "..");
}

static int temporary_create(Temporary *t, const char *name) {
        _cleanup_free_ char *path = NULL;
        uint64_t random;
        int r;

        /* Without GRND_NONBLOCK: blocks before the kernel's generator is ready, long before any service
         * starts. */
        if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return errno > 0 ? -errno : -EIO;
        r = text_format(&path, ".pullauth-%s.%016jx", name, (uintmax_t) random);
        if (r < 0)
                return r;
        t->fd = openat(t->dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (t->fd < 0)
                return -errno;
        t->name = TAKE_PTR(path);
        return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static int set_owner(int fd, const struct stat *present, uid_t uid, gid_t gid) {
        if (uid == present->st_uid)
                uid = (uid_t) -1;
        if (gid == present->st_gid)
                gid = (gid_t) -1;
        if (uid == (uid_t) -1 && gid == (gid_t) -1)
                return 0;
        return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

/* The owner comes before the mode, for chown(2) takes set-id bits away and 0644 is meant for the final
 * owner's file only; the mode comes last, for setting an ACL changes it. */
static int dress(int fd, const FileReplace *r) {
        bool keep = (r->flags & FILE_REPLACE_KEEP) && r->old_fd >= 0;
        struct stat present, wanted = { .st_uid = r->uid, .st_gid = r->gid, .st_mode = r->mode };
        int k;

        if (fstat(fd, &present) < 0 || (keep && fstat(r->old_fd, &wanted) < 0))
                return -errno;
        k = set_owner(fd, &present, wanted.st_uid, wanted.st_gid);
        if (k < 0)
                return k;
        if (keep) {
                k = file_copy_xattrs(r->old_fd, fd);
                if (k < 0)
                        return k;
        }
        return fchmod(fd, wanted.st_mode & 07777) < 0 ? -errno : 0;
}

static int sync_directory(int dir_fd) {
        /* EINVAL: a file system that has nothing to sync here. */
        return fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

static bool same_time(struct timespec a, struct timespec b) {
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static int put_in_place(Temporary *t, const char *name) {
        if (renameat(t->dir_fd, t->name, t->dir_fd, name) < 0)
                return -errno;
        free(TAKE_PTR(t->name));
        return 0;
}

static bool exists(const struct stat *st) {
        return st->st_ino != 0;
}

bool stat_same_bytes(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               same_time(a->st_mtim, b->st_mtim);
}

bool stat_same_content(const struct stat *a, const struct stat *b) {
        return stat_same_bytes(a, b) && same_time(a->st_ctim, b->st_ctim);
}

static bool is_expected(int dir_fd, const char *name, const struct stat *expected) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && stat_same_bytes(&st, expected);
}

/* Where the file system can neither exchange nor refuse to replace. */
static int look_and_put(Temporary *t, const FileReplace *r) {
        struct stat st;

        if (exists(r->expected) ? !is_expected(t->dir_fd, r->name, r->expected)
                                : fstatat(t->dir_fd, r->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return -EAGAIN;
        return put_in_place(t, r->name);
}

static int look_at(const Temporary *t, struct stat *ret) {
        return fstatat(t->dir_fd, t->name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* Another file came out than was expected, and has to stand again in the place where ours is now. If what
 * comes out then is not ours, somebody was there once more, and what is newest counts. A file that was
 * removed meanwhile stays so. */
static void put_back(const Temporary *t, const char *name, struct stat in_place) {
        for (unsigned i = 0; i < PUT_BACK_TRIES; i++) {
                struct stat held, out;

                if (look_at(t, &held) < 0 ||
                    renameat2(t->dir_fd, t->name, t->dir_fd, name, RENAME_EXCHANGE) < 0 ||
                    look_at(t, &out) < 0 || (out.st_dev == in_place.st_dev && out.st_ino == in_place.st_ino))
                        return;
                in_place = held;
        }
}

static int put_in_place_of(Temporary *t, const FileReplace *r) {
        unsigned flags = exists(r->expected) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
        struct stat ours;
        int k;

        k = look_at(t, &ours);
        if (k < 0)
                return k;
        if (renameat2(t->dir_fd, t->name, t->dir_fd, r->name, flags) < 0) {
                if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)
                        return look_and_put(t, r);
                /* Somebody made it, or took it away. */
                return errno == EEXIST || errno == ENOENT ? -EAGAIN : -errno;
        }
        if (!exists(r->expected)) {
                free(TAKE_PTR(t->name));
                return 0;
        }
        if (is_expected(t->dir_fd, t->name, r->expected))
                return 0; /* and what came out is removed as the temporary that it is now */
        put_back(t, r->name, ours);
        return -EAGAIN;
}

int file_replace(const FileReplace *r) {
        _cleanup_(temporary_done) Temporary t = { .dir_fd = r->dir_fd, .fd = -EBADF };
        int k;

        if (!is_name(r->name))
                return -EINVAL;
        k = temporary_create(&t, r->name);
        if (k < 0)
                return k;
        k = write_all(t.fd, r->data, r->size);
        if (k < 0)
                return k;
        k = dress(t.fd, r);
        if (k < 0)
                return k;
        if ((r->flags & FILE_REPLACE_SYNC) && fsync(t.fd) < 0)
                return -errno;
        if (r->ret_placed && fstat(t.fd, r->ret_placed) < 0)
                return -errno;
        /* Network file systems say only here that the bytes did not fit. */
        if (close(TAKE_FD(t.fd)) < 0 && errno != EINTR)
                return -errno;
        k = r->expected ? put_in_place_of(&t, r) : put_in_place(&t, r->name);
        if (k < 0)
                return k;
        return r->flags & FILE_REPLACE_SYNC ? sync_directory(t.dir_fd) : 0;
}

static bool is_temporary_of(const char *entry, const char *name) {
        const char *rest = startswith(entry, ".pullauth-");

        rest = rest ? startswith(rest, name) : NULL;
        return rest && rest[0] == '.' && strlen(rest + 1) == RANDOM_DIGITS &&
               strspn(rest + 1, "0123456789abcdef") == RANDOM_DIGITS;
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Without asking the file system, which may be one that does not answer. */
static bool is_regular(int dir_fd, const char *name) {
        struct statx st;

        return statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE,
                     &st) >= 0 &&
               S_ISREG(st.stx_mode);
}

int file_replace_sweep(int dir_fd, const char *name) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_close_ int fd = -EBADF;
        int removed = 0, failed = 0;

        if (!is_name(name))
                return -EINVAL;
        /* An open file of its own: the caller's keeps its position. */
        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d)
                return -errno;
        (void) TAKE_FD(fd);
        for (;;) {
                struct dirent *entry;

                errno = 0;
                entry = readdir(d);
                if (!entry)
                        break;
                if (!is_temporary_of(entry->d_name, name) || !is_regular(dir_fd, entry->d_name))
                        continue;
                if (unlinkat(dir_fd, entry->d_name, 0) == 0)
                        removed++;
                else if (errno != ENOENT)
                        failed = -errno;
        }
        if (errno > 0)
                return -errno;
        return failed < 0 ? failed : removed;
}
