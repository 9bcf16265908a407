/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every unit test includes: cmocka with what it wants before it, and scratch directories. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#define assert_ok(expression) assert_true((expression) >= 0)

/* A directory that teardown_scratch() removes; cmocka's *state. */
static inline int setup_scratch(void **state) {
        char path[] = "/tmp/pullauth-unit-XXXXXX";

        if (!mkdtemp(path))
                return -1;
        *state = strdup(path);
        return *state ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static inline int teardown_scratch(void **state) {
        int r = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

        free(*state);
        return r;
}

/* Writes `text` to DIRECTORY/PATH, making directories on the way (0755). */
static inline void write_file(const char *directory, const char *path, const char *text) {
        char full[512];
        FILE *f;

        snprintf(full, sizeof(full), "%s/%s", directory, path);
        for (char *c = full + strlen(directory) + 1; (c = strchr(c, '/')); c++) {
                *c = '\0';
                (void) mkdir(full, 0755);
                *c = '/';
        }
        f = fopen(full, "we");
        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(full, 0644), 0);
}
