/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory with a file to be replaced, for the tests of base/file-replace. */

#include <dirent.h>

#include "base/file-replace.h"
#include "base/file.h"
#include "base/text.h"
#include "unit.h"

#define NAME "auth.json"
#define OLD "the old content"
#define NEW "{ \"new\": \"content, which is longer\" }"

typedef struct Fixture {
        char *directory;
        int dir_fd;
} Fixture;

static inline int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        if (!f || setup_scratch((void **) &f->directory) < 0)
                return -1;
        f->dir_fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = f;
        return f->dir_fd < 0 ? -1 : 0;
}

static inline int teardown(void **state) {
        Fixture *f = *state;
        int r = teardown_scratch((void **) &f->directory);

        close(f->dir_fd);
        free(f);
        return r;
}

static inline FileReplace request(const Fixture *f, const char *data, FileReplaceFlags flags) {
        return (FileReplace){
                .dir_fd = f->dir_fd,
                .name = NAME,
                .data = data,
                .size = strlen(data),
                .old_fd = -EBADF,
                .mode = 0600,
                .uid = (uid_t) -1,
                .gid = (gid_t) -1,
                .flags = flags,
        };
}

static inline bool content_is(int dir_fd, const char *name, const char *wanted) {
        _cleanup_secret_ Secret *s = NULL;

        return file_read(dir_fd, name, 1 << 20, 0, &s, NULL) == 0 &&
               streq((const char *) secret_peek(s).iov_base, wanted);
}

static inline struct stat look_at(const Fixture *f, const char *name) {
        struct stat st;

        assert_int_equal(fstatat(f->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st;
}

static inline size_t count_temporaries(const Fixture *f, mode_t *ret_mode) {
        DIR *d = opendir(f->directory);
        struct dirent *entry;
        size_t n = 0;

        assert_non_null(d);
        while ((entry = readdir(d)))
                if (startswith(entry->d_name, ".pullauth-")) {
                        n++;
                        if (ret_mode)
                                *ret_mode = look_at(f, entry->d_name).st_mode & 07777;
                }
        closedir(d);
        return n;
}

#define in_scratch(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
