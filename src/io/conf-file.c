/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes and removes configuration files of the places that belong to the administrator and to this boot.
 *
 * Owns the rules of how: directories are opened component by component without following links, a file comes
 * into being under another name and takes its place at once, what was removed is gone after a crash as well.
 * Refuses to touch what is no regular file. What a file may say, and whether it may be changed, is for the
 * caller to know. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "io/conf-file.h"

#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

static int directory_path(const char *root, const ConfFile *f, char **ret) {
        return text_format(ret, "%s%s/%s/%s%s.d", root, conf_place_path(f->place), f->kind->directory,
                           f->name, f->kind->suffix);
}

int conf_file_path(const char *root, const ConfFile *f, char **ret) {
        _cleanup_free_ char *directory = NULL;
        int r;

        if (!f->drop_in)
                return text_format(ret, "%s%s/%s/%s%s", root, conf_place_path(f->place), f->kind->directory,
                                   f->name, f->kind->suffix);
        r = directory_path(root, f, &directory);
        return r < 0 ? r : text_format(ret, "%s/%s", directory, f->drop_in);
}

static bool is_persistent(const ConfFile *f) {
        return f->place != CONF_PLACE_RUN;
}

/* What opens, reads and unlinks say of things that are no files, as one. */
static int unify(int r) {
        return r == -ELOOP || r == -EISDIR || r == -ENOTDIR ? -EMEDIUMTYPE : r;
}

int conf_file_look(const char *root, const ConfFile *f) {
        _cleanup_free_ char *path = NULL;
        struct stat st;
        int r;

        r = conf_file_path(root, f, &path);
        if (r < 0)
                return r;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : unify(-errno);
        return S_ISREG(st.st_mode) ? 1 : -EMEDIUMTYPE;
}

int conf_file_read(const char *root, const ConfFile *f, char **ret_text, struct stat *ret_st) {
        _cleanup_secret_ Secret *content = NULL;
        _cleanup_free_ char *path = NULL;
        struct iovec bytes;
        struct stat st;
        char *text;
        int r;

        r = conf_file_path(root, f, &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_OWNED, &content, &st);
        if (r < 0)
                return r == -ENOENT ? 0 : unify(r);
        bytes = secret_peek(content);
        text = bytes.iov_len > 0 ? strndup(bytes.iov_base, bytes.iov_len) : strdup("");
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        *ret_st = st;
        return 1;
}

static int sync_directory(int fd) {
        /* EINVAL: a file system that has nothing to sync here. */
        return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

/* As root would have made it, where we may. Returns 1 if it was made, 0 if it was there. */
static int make_directory(const char *path, bool persistent) {
        _cleanup_close_ int parent_fd = -EBADF, fd = -EBADF;
        const char *name;
        int r;

        r = dir_open_trusted(path, &parent_fd, &name, NULL);
        if (r < 0)
                return r;
        if (mkdirat(parent_fd, name, 0700) < 0)
                return errno == EEXIST ? 0 : -errno;
        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if ((fchown(fd, 0, 0) < 0 && errno != EPERM) || fchmod(fd, DIRECTORY_MODE) < 0)
                return -errno;
        r = persistent ? sync_directory(fd) : 0;
        if (r >= 0 && persistent)
                r = sync_directory(parent_fd);
        return r < 0 ? r : 1;
}

static int replace(const ConfFile *f, int dir_fd, const char *name, const char *text,
                   const struct stat *expected) {
        FileReplace replace = {
                .dir_fd = dir_fd,
                .name = name,
                .data = text,
                .size = strlen(text),
                .old_fd = -EBADF,
                .mode = FILE_MODE,
                .flags = is_persistent(f) ? FILE_REPLACE_SYNC : 0,
                .expected = expected,
        };
        int r;

        (void) file_replace_sweep(dir_fd, name);
        r = file_replace(&replace);
        if (r != -EPERM)
                return r;
        /* Without the right to give files away, ours are believed as well. */
        replace.uid = (uid_t) -1;
        replace.gid = (gid_t) -1;
        return file_replace(&replace);
}

static int write_at(const char *path, const ConfFile *f, const char *text, const struct stat *expected) {
        _cleanup_close_ int dir_fd = -EBADF;
        const char *name;
        int r;

        r = dir_open_trusted(path, &dir_fd, &name, NULL);
        return r < 0 ? r : replace(f, dir_fd, name, text, expected);
}

int conf_file_write(const char *root, const ConfFile *f, const char *text, const struct stat *expected) {
        _cleanup_free_ char *path = NULL, *kind = NULL, *directory = NULL;
        int r, made = 0;

        r = conf_file_path(root, f, &path);
        if (r >= 0)
                r = text_format(&kind, "%s%s/%s", root, conf_place_path(f->place), f->kind->directory);
        if (r >= 0)
                r = directory_path(root, f, &directory);
        /* What lies in /run has to be made after each boot; what lies in /etc is the administrator's. */
        if (r >= 0 && !is_persistent(f))
                r = make_directory(kind, /* persistent= */ false);
        if (r >= 0 && f->drop_in)
                r = made = make_directory(directory, is_persistent(f));
        if (r >= 0)
                r = write_at(path, f, text, expected);
        if (r < 0 && made > 0)
                (void) rmdir(directory);
        return unify(r);
}

/* What else lies in it keeps the directory. */
static int drop_directory(const char *path, bool persistent) {
        _cleanup_close_ int parent_fd = -EBADF;
        const char *name;
        int r;

        r = dir_open_trusted(path, &parent_fd, &name, NULL);
        if (r < 0)
                return r;
        if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0)
                return errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT ? 0 : -errno;
        return persistent ? sync_directory(parent_fd) : 0;
}

static int remove_at(const char *path, bool persistent) {
        _cleanup_close_ int dir_fd = -EBADF;
        struct stat st;
        const char *name;
        int r;

        r = dir_open_trusted(path, &dir_fd, &name, NULL);
        if (r < 0)
                return r;
        (void) file_replace_sweep(dir_fd, name);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EMEDIUMTYPE;
        if (unlinkat(dir_fd, name, 0) < 0)
                return -errno;
        r = persistent ? sync_directory(dir_fd) : 0;
        return r < 0 ? r : 1;
}

int conf_file_remove(const char *root, const ConfFile *f) {
        _cleanup_free_ char *path = NULL, *directory = NULL;
        int r;

        r = conf_file_path(root, f, &path);
        if (r >= 0)
                r = directory_path(root, f, &directory);
        if (r < 0)
                return r;
        r = remove_at(path, is_persistent(f));
        if (r == -ENOENT)
                r = 0;
        if (r >= 0 && f->drop_in) {
                int k = drop_directory(directory, is_persistent(f));

                if (k < 0 && k != -ENOENT)
                        return unify(k);
        }
        return unify(r);
}

static void dir_closep(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static int list_into(DIR *d, char ***names) {
        struct dirent *e;

        while (errno = 0, (e = readdir(d))) {
                const char *end = endswith(e->d_name, ".conf");
                struct stat st;
                int r;

                if (!end || e->d_name[0] == '.')
                        continue;
                if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                if (!S_ISREG(st.st_mode))
                        return -EMEDIUMTYPE;
                r = strv_append(names, e->d_name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

int conf_file_list_drop_ins(const char *root, const ConfFile *f, char ***ret) {
        _cleanup_(dir_closep) DIR *d = NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *path = NULL;
        int fd, r;

        r = directory_path(root, f, &path);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
                if (errno != ENOENT)
                        return unify(-errno);
                *ret = NULL;
                return 0;
        }
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        r = list_into(d, &names);
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}
