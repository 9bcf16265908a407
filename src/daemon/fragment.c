/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing and removing fragments.
 *
 * Owns the file names in the fragments directory, which lies on a tmpfs and belongs to the daemon alone:
 * no fsync, mode 0600. Does not look at what they say. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/fragment.h"
#include "model/auth-file.h"

#define RUNTIME_DIRECTORY "/run/pullauth"
#define FRAGMENTS_DIRECTORY RUNTIME_DIRECTORY "/fragments"
#define SUFFIX ".json"

static int make_directory(const char *root, const char *path, mode_t mode) {
        _cleanup_free_ char *full = NULL;
        int r;

        r = text_format(&full, "%s%s", root, path);
        if (r < 0)
                return r;
        return mkdir(full, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int fragments_open(const char *root, int *ret_dir_fd) {
        _cleanup_free_ char *path = NULL;
        int fd, r;

        /* Normally both are there: RuntimeDirectory= and tmpfiles.d make them. */
        r = make_directory(root, RUNTIME_DIRECTORY, 0755);
        if (r >= 0)
                r = make_directory(root, FRAGMENTS_DIRECTORY, 0700);
        if (r >= 0)
                r = text_format(&path, "%s%s", root, FRAGMENTS_DIRECTORY);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        *ret_dir_fd = fd;
        return 0;
}

static int file_name(const char *job, char **ret) {
        return text_format(ret, "%s%s", job, SUFFIX);
}

int fragment_text(char *const *scopes, const Secret *user_pass, Secret **ret) {
        _cleanup_free_ AuthEntry *entries = NULL;
        size_t n = strv_length(scopes);
        JsonError error;
        int r;

        entries = calloc(n + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                entries[i] = (AuthEntry){ .key = scopes[i], .user_pass = user_pass };
        r = auth_file_merge(NULL, 0, entries, n, ret, &error);
        return r < 0 ? r : 0;
}

int fragment_write(int dir_fd, const char *job, char *const *scopes, const Secret *user_pass) {
        _cleanup_free_ char *name = NULL;
        _cleanup_secret_ Secret *text = NULL;
        FileReplace replace;
        struct iovec bytes;
        int r;

        r = file_name(job, &name);
        if (r >= 0)
                r = fragment_text(scopes, user_pass, &text);
        if (r < 0)
                return r;
        bytes = secret_peek(text);
        replace = (FileReplace){
                .dir_fd = dir_fd,
                .name = name,
                .data = bytes.iov_base,
                .size = bytes.iov_len,
                .old_fd = -EBADF,
                .mode = 0600,
                .uid = (uid_t) -1,
                .gid = (gid_t) -1,
        };
        r = file_replace(&replace);
        /* The next start believes the fragment before any target: an older one must not come back. */
        if (r < 0)
                (void) unlinkat(dir_fd, name, 0);
        return r;
}

int fragment_remove(int dir_fd, const char *job) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = file_name(job, &name);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int fragment_read(int dir_fd, const char *job, Secret **ret) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = file_name(job, &name);
        if (r < 0)
                return r;
        return file_read(dir_fd, name, AUTH_FILE_MAX, FILE_READ_OWNED, ret, NULL);
}

static bool is_stray(const char *file, bool (*is_known)(const char *job, void *userdata), void *userdata) {
        _cleanup_free_ char *job = NULL;
        const char *end = endswith(file, SUFFIX);

        /* Everything in here is ours: temporaries of killed writers go as well. */
        if (!end)
                return true;
        job = strndup(file, (size_t) (end - file));
        return job && !is_known(job, userdata);
}

int fragments_sweep(int dir_fd, bool (*is_known)(const char *job, void *userdata), void *userdata) {
        struct dirent *e;
        int fd, r = 0;
        DIR *d;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                closep(&fd);
                return r;
        }
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..") &&
                    is_stray(e->d_name, is_known, userdata) && unlinkat(dir_fd, e->d_name, 0) < 0)
                        r = -errno;
        (void) closedir(d);
        return r;
}
