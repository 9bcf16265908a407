/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens directories of targets: those of the system, in which root alone can write, and those of users.
 *
 * In the home of a user everything is that user's to exchange at any moment, for a link, a file of somebody
 * else under another name, a file system of his own. So each step is made on the descriptor of the one
 * before: no link is followed below the home, each directory belongs to the user or to root, can be written
 * by no third one, and lies on the file system of the home, which is looked at without asking it. What is
 * made on the way belongs to the user from then on. The file at the end is opened in the same way. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/sysmacros.h>

#include "base/account.h"
#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/target-directory.h"
#include "model/target-config.h"

#define HOME_MODE 0700

void target_directory_done(TargetDirectory *d) {
        closep(&d->fd);
        free(d->path);
        *d = TARGET_DIRECTORY_NONE;
}

/* Returns 0, -ESRCH, -ENXIO, -ENOMEM. */
static int find_home(const char *root, const char *user, Account *ret, char **ret_home) {
        Account account = {};
        int r;

        r = account_find(user, &account);
        if (r == -ENOENT)
                return -ESRCH;
        if (r >= 0 && !account.home)
                r = -ENXIO;
        if (r >= 0)
                r = text_format(ret_home, "%s%s", root, account.home);
        *ret = account;
        ret->home = NULL;
        account_done(&account);
        return r;
}

int target_directory_resolve(const char *root, const char *path, char **ret) {
        _cleanup_free_ char *user = NULL, *home = NULL;
        const char *rest;
        Account account;
        int r;

        r = target_path_split(path, &user, &rest);
        if (r == 0)
                return text_format(ret, "%s%s", root, path);
        if (r > 0)
                r = find_home(root, user, &account, &home);
        if (r == -ENOMEM)
                return r;
        return r < 0 ? text_format(ret, "%s", path) : text_format(ret, "%s/%s", home, rest);
}

/* Made as root would have made it, whatever our umask and uid; below a --root all is ours. */
static int make_last(const char *path, mode_t mode, bool rooted) {
        _cleanup_free_ char *directory = NULL;
        _cleanup_close_ int parent_fd = -EBADF;
        const char *name;
        int r;

        directory = strndup(path, (size_t) (strrchr(path, '/') - path));
        if (!directory)
                return -ENOMEM;
        r = dir_open_trusted(directory, &parent_fd, &name, NULL);
        if (r < 0)
                return r;
        if (mkdirat(parent_fd, name, mode) < 0)
                return errno == EEXIST ? 0 : -errno;
        if (!rooted && fchownat(parent_fd, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return fchmodat(parent_fd, name, mode, 0) < 0 ? -errno : 0;
}

/* A directory of the system. Where the sandbox or the rights of others keep us from making it, it is told of
 * as missing: to make it is for an administrator. */
static int open_system(const char *root, mode_t mode, TargetDirectory *d, char **reterr_component) {
        int r, k;

        r = dir_open_trusted(d->path, &d->fd, &d->name, reterr_component);
        if (r != -ENOENT || mode == 0)
                return r;
        k = make_last(d->path, mode, !isempty(root));
        if (k < 0)
                return k == -ENOSPC || k == -EDQUOT || k == -EIO || k == -ENOMEM ? k : r;
        if (reterr_component)
                free(TAKE_PTR(*reterr_component));
        return dir_open_trusted(d->path, &d->fd, &d->name, reterr_component);
}

/* Asks no file system for anything: one of the user's need not answer. */
static int look_at(int fd, const char *name, struct statx *ret) {
        const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;

        return statx(fd, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, ret) < 0 ? -errno : 0;
}

static int look(int fd, struct statx *ret) {
        return look_at(fd, "", ret);
}

static int check(const struct statx *st, const struct statx *home, const TargetDirectory *d) {
        if (st->stx_dev_major != home->stx_dev_major || st->stx_dev_minor != home->stx_dev_minor)
                return -EXDEV;
        /* What others can move they can put in our place, also a file of the user's that all may read. The
         * user's own group is the user alone in most places, and can write where the umask is for that. */
        if (st->stx_mode & S_IWOTH || (st->stx_mode & S_IWGRP && st->stx_gid != d->gid))
                return -EPERM;
        return st->stx_uid == d->uid || st->stx_uid == 0 ? 0 : -EPERM;
}

/* One component further. */
static int step(int fd, const char *name) {
        int next = openat(fd, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
        char c;

        if (next >= 0 || errno != ENOTDIR)
                return next >= 0 ? next : -errno;
        /* What is no link is not asked. */
        return readlinkat(fd, name, &c, sizeof(c)) >= 0 ? -ELOOP : -ENOTDIR;
}

/* Only what we have just made is handed over: whoever put something else in its place had it already. */
static int make_step(int fd, const char *name, const TargetDirectory *d) {
        _cleanup_close_ int next = -EBADF;
        struct statx st;
        int r;

        if (mkdirat(fd, name, HOME_MODE) < 0 && errno != EEXIST)
                return -errno;
        next = step(fd, name);
        r = next < 0 ? next : look(next, &st);
        if (r < 0)
                return r;
        if (st.stx_uid == geteuid() && st.stx_uid != d->uid &&
            fchownat(next, "", d->uid, d->gid, AT_EMPTY_PATH) < 0)
                return -errno;
        return TAKE_FD(next);
}

static int descend(TargetDirectory *d, const struct statx *home, int *fd, mode_t mode, char *rest) {
        for (char *slash; (slash = strchr(rest, '/')); rest = slash + 1) {
                struct statx st;
                int next, r;

                *slash = '\0';
                next = step(*fd, rest);
                if (next == -ENOENT && mode != 0)
                        next = make_step(*fd, rest, d);
                if (next < 0)
                        return next;
                *slash = '/';
                closep(fd);
                *fd = next;
                r = look(next, &st);
                if (r >= 0)
                        r = check(&st, home, d);
                if (r < 0) {
                        *slash = '\0';
                        return r;
                }
        }
        return 0;
}

/* `d->path` is the home at first; on failure it is cut behind what cannot be passed. */
static int open_home(TargetDirectory *d, const char *rest, mode_t mode) {
        size_t n = strlen(d->path);
        _cleanup_close_ int fd = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct statx home;
        char *path;
        int r;

        if (fd < 0)
                return errno == ENOENT ? -ENXIO : -errno;
        r = look(fd, &home);
        if (r >= 0)
                r = home.stx_uid == d->uid ? check(&home, &home, d) : -EPERM;
        if (r < 0)
                return r;
        r = text_format(&path, "%s/%s", d->path, rest);
        if (r < 0)
                return r;
        free(d->path);
        d->path = path;
        r = descend(d, &home, &fd, mode, d->path + n + 1);
        if (r < 0)
                return r;
        d->name = strrchr(d->path, '/') + 1;
        /* For reading, so that it can be listed and synced. */
        d->fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return d->fd < 0 ? -errno : 0;
}

int target_directory_open(const char *root, const char *path, mode_t mode, TargetDirectory *ret,
                          char **reterr_component) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        _cleanup_free_ char *user = NULL;
        Account account = {};
        const char *rest;
        int r;

        r = target_path_split(path, &user, &rest);
        if (r < 0)
                return r;
        d.home = r > 0;
        r = d.home ? find_home(root, user, &account, &d.path) : text_format(&d.path, "%s%s", root, path);
        if (r < 0)
                return r;
        d.uid = account.uid;
        d.gid = account.gid;
        r = d.home ? open_home(&d, rest, mode) : open_system(root, mode, &d, reterr_component);
        if (r < 0) {
                if (d.home && reterr_component)
                        *reterr_component = TAKE_PTR(d.path);
                return r;
        }
        *ret = d;
        d = TARGET_DIRECTORY_NONE;
        return 0;
}

int target_directory_look(const TargetDirectory *d, struct stat *ret) {
        struct statx st;
        int r;

        if (!d->home)
                return fstatat(d->fd, d->name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
        r = look_at(d->fd, d->name, &st);
        if (r < 0)
                return r;
        *ret = (struct stat){
                .st_dev = makedev(st.stx_dev_major, st.stx_dev_minor),
                .st_ino = st.stx_ino,
                .st_mode = st.stx_mode,
                .st_nlink = st.stx_nlink,
                .st_uid = st.stx_uid,
                .st_gid = st.stx_gid,
                .st_size = (off_t) st.stx_size,
                .st_mtim = { .tv_sec = st.stx_mtime.tv_sec, .tv_nsec = st.stx_mtime.tv_nsec },
                .st_ctim = { .tv_sec = st.stx_ctime.tv_sec, .tv_nsec = st.stx_ctime.tv_nsec },
        };
        return 0;
}

/* Not by the device: layers of one file system may have several. Kernels before 5.8 do not tell. */
static bool is_mounted_upon(const struct statx *file, const struct statx *directory) {
        return file->stx_mask & directory->stx_mask & STATX_MNT_ID &&
               file->stx_mnt_id != directory->stx_mnt_id;
}

static int check_file(const struct statx *file, const struct statx *directory) {
        if (is_mounted_upon(file, directory))
                return -EXDEV;
        if (S_ISLNK(file->stx_mode))
                return -ELOOP;
        if (S_ISDIR(file->stx_mode))
                return -EISDIR;
        return S_ISREG(file->stx_mode) ? 0 : -EMEDIUMTYPE;
}

/* What `path` then leads to is the very file that was looked at. */
#define FD_PATH_MAX (sizeof("/proc/self/fd/") + 3 * sizeof(int))

static int open_in_home(const TargetDirectory *d, char path[static FD_PATH_MAX]) {
        _cleanup_close_ int fd = openat(d->fd, d->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct statx file, directory;
        int r;

        if (fd < 0)
                return -errno;
        r = look(fd, &file);
        if (r >= 0)
                r = look(d->fd, &directory);
        if (r >= 0)
                r = check_file(&file, &directory);
        if (r < 0)
                return r;
        (void) snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", fd);
        r = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (r < 0)
                return -errno;
        (void) snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", r);
        return r;
}

static int read_in_home(const TargetDirectory *d, size_t max, Secret **ret, struct stat *ret_st,
                        int *ret_fd) {
        char path[FD_PATH_MAX];
        _cleanup_close_ int fd = open_in_home(d, path);
        int r;

        if (fd < 0)
                return fd;
        r = file_read(AT_FDCWD, path, max, FILE_READ_FOLLOW, ret, ret_st);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        /* It was removed, or another one took its name. */
        return ret_st->st_nlink == 0 ? -EAGAIN : 0;
}

int target_directory_read_file(const TargetDirectory *d, size_t max, Secret **ret, struct stat *ret_st,
                               int *ret_fd) {
        struct stat st;
        int r;

        if (d->home)
                return read_in_home(d, max, ret, ret_st, ret_fd);
        r = file_read(d->fd, d->name, max, 0, ret, ret_st);
        if (r < 0)
                return r;
        *ret_fd = openat(d->fd, d->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0 || !stat_same_content(&st, ret_st))
                return -EAGAIN;
        return 0;
}

int target_directory_read(const char *root, const char *path, size_t max, Secret **ret) {
        _cleanup_(target_directory_done) TargetDirectory d = TARGET_DIRECTORY_NONE;
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        r = target_directory_open(root, path, 0, &d, NULL);
        if (r >= 0)
                r = target_directory_read_file(&d, max, &text, &st, &fd);
        /* What was there a moment ago is as good. */
        if (r < 0 && (r != -EAGAIN || !text))
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
