/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads TOML files of other programs: one, and then those of a directory in the order of their names.
 *
 * What cannot be read is told of and passed over, for the program itself has its own mind about it. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/tool-settings.h"

#define SETTINGS_MAX (1024 * 1024)

/* What is done with the text of each file. */
typedef int (*take_t)(const char *text, size_t size, void *userdata, TomlError *reterr);

typedef struct Reading {
        take_t take;
        void *userdata;
        char ***notes;
} Reading;

static int note(const Reading *r, const char *path, const TomlError *error, int number) {
        char *text;
        int k;

        k = number == -EBADMSG && error->what
                    ? text_format(&text, "%s:%zu: %s", path, error->line, error->what)
                    : text_format(&text, "%s: %s", path, strerrordesc_np(-number) ?: "unknown error");
        return k < 0 ? k : strv_consume(r->notes, text);
}

static int read_one(const Reading *reading, const char *path) {
        _cleanup_secret_ Secret *content = NULL;
        TomlError error = {};
        struct iovec bytes;
        int r;

        r = file_read(AT_FDCWD, path, SETTINGS_MAX, FILE_READ_FOLLOW, &content, NULL);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r >= 0) {
                bytes = secret_peek(content);
                r = reading->take(bytes.iov_base, bytes.iov_len, reading->userdata, &error);
        }
        if (r >= 0 || r == -ENOMEM)
                return r;
        r = note(reading, path, &error, r);
        return r < 0 ? r : 0;
}

/* The names in a directory with this suffix, sorted. */
static int list(const char *path, const char *suffix, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        struct dirent *e;
        int r = 0;
        DIR *d;

        *ret = NULL;
        d = opendir(path);
        while (d && r >= 0 && (e = readdir(d)))
                if (e->d_name[0] != '.' && endswith(e->d_name, suffix))
                        r = strv_append(&names, e->d_name);
        if (d)
                (void) closedir(d);
        if (r < 0)
                return r;
        if (names)
                strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int read_all(const Reading *reading, const char *root, const char *file, const char *directory,
                    const char *suffix) {
        _cleanup_free_ char *path = NULL, *parent = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        r = text_format(&path, "%s/%s", root, file);
        if (r >= 0)
                r = read_one(reading, path);
        if (r < 0 || !directory)
                return r;
        r = text_format(&parent, "%s/%s", root, directory);
        if (r >= 0)
                r = list(parent, suffix, &names);
        for (size_t i = 0; names && names[i] && r >= 0; i++) {
                _cleanup_free_ char *one = NULL;

                r = text_format(&one, "%s/%s", parent, names[i]);
                if (r >= 0)
                        r = read_one(reading, one);
        }
        return r;
}

/* A key that is looked for, and its last value. */
typedef struct Wanted {
        const char *name;
        char *value;
} Wanted;

static int take_value(const TomlString *s, void *userdata) {
        Wanted *w = userdata;
        int r = 0;

        if (streq(s->name, w->name))
                r = free_and_strdup(&w->value, s->value);
        return r < 0 ? r : 0;
}

static int take_wanted(const char *text, size_t size, void *userdata, TomlError *reterr) {
        return toml_strings(text, size, take_value, userdata, reterr);
}

int tool_setting(const char *root, const char *file, const char *directory, const char *name, char ***notes,
                 char **ret) {
        Wanted w = { .name = name };
        int r;

        r = read_all(&(Reading){ take_wanted, &w, notes }, root, file, directory, "");
        if (r < 0) {
                free(w.value);
                return r;
        }
        *ret = w.value;
        return 0;
}

static int take_registries(const char *text, size_t size, void *userdata, TomlError *reterr) {
        return registries_add(userdata, text, size, reterr);
}

int tool_registries(const char *root, char ***notes, Registries *ret) {
        return read_all(&(Reading){ take_registries, ret, notes }, root, "etc/containers/registries.conf",
                        "etc/containers/registries.conf.d", ".conf");
}
