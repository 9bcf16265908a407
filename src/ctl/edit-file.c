/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files around an editor.
 *
 * The temporary file stands in the same directory, so that who may not write there learns it before the
 * work, and with a name that no reader of configuration takes up. The file itself is replaced by
 * base/file-replace: whole, with owner and mode of the old one. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "ctl/edit-file.h"

/* Every directory above a file, where it is missing. */
static int make_directories(EditFile *f, const char *path) {
        for (const char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
                _cleanup_free_ char *directory = strndup(path, (size_t) (slash - path));
                int r = 0;

                if (!directory)
                        return -ENOMEM;
                if (mkdir(directory, 0755) >= 0)
                        r = strv_append(&f->made, directory);
                else if (errno != EEXIST)
                        return -errno;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int look_before(EditFile *f) {
        if (fstatat(f->dir_fd, f->name, &f->before, AT_SYMLINK_NOFOLLOW) < 0) {
                f->before = (struct stat){};
                return errno == ENOENT ? 0 : -errno;
        }
        if (S_ISLNK(f->before.st_mode))
                return -ELOOP;
        return S_ISREG(f->before.st_mode) ? 0 : -EMEDIUMTYPE;
}

static int write_all(int fd, const char *text) {
        size_t size = strlen(text);

        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0)
                        return -errno;
                text += n;
                size -= (size_t) n;
        }
        return 0;
}

int edit_file_make(EditFile *f, const char *path, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        const char *name = NULL;
        int r;

        r = make_directories(f, path);
        if (r >= 0)
                r = dir_open_trusted(path, &f->dir_fd, &name, NULL);
        if (r >= 0)
                r = free_and_strdup(&f->name, name);
        if (r >= 0)
                r = look_before(f);
        /* The ending tells editors what it is. */
        if (r >= 0)
                r = text_format(&f->path, "%.*s.edit-XXXXXX-%s", (int) (name - path), path, name);
        if (r < 0)
                return r;
        fd = mkostemps(f->path, (int) strlen(name) + 1, O_CLOEXEC);
        if (fd < 0) {
                r = -errno;
                free(f->path);
                f->path = NULL;
                return r;
        }
        return write_all(fd, text);
}

int edit_file_replace(EditFile *f, const char *text) {
        _cleanup_close_ int old_fd = -EBADF;

        if (f->before.st_mode != 0) {
                old_fd = openat(f->dir_fd, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
                if (old_fd < 0)
                        return errno == ENOENT ? -EAGAIN : -errno;
        }
        return file_replace(&(FileReplace){
                .dir_fd = f->dir_fd,
                .name = f->name,
                .data = text,
                .size = strlen(text),
                .old_fd = old_fd,
                .mode = 0644,
                .uid = (uid_t) -1,
                .gid = (gid_t) -1,
                .flags = FILE_REPLACE_SYNC | FILE_REPLACE_KEEP,
                .expected = &f->before,
        });
}

/* A directory that was made for nothing goes again; one with a file in it cannot. */
void edit_file_done(EditFile *f) {
        if (f->path && !f->keep)
                (void) unlink(f->path);
        for (size_t i = strv_length(f->made); i > 0; i--)
                (void) rmdir(f->made[i - 1]);
        closep(&f->dir_fd);
        free(f->path);
        free(f->name);
        strv_free(f->made);
        *f = EDIT_FILE_NONE;
}
