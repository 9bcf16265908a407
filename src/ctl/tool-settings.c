/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads TOML files of other programs: one, and then those of a directory in the order of their names.
 *
 * What cannot be read is told of and passed over, for the program itself has its own mind about it. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/tool-settings.h"

#define SETTINGS_MAX (1024 * 1024)
#define ENGINE_FILE "containers/containers.conf"
#define REGISTRIES_FILE "containers/registries.conf"

/* What is done with the text of each file. */
typedef int (*take_t)(const char *text, size_t size, void *userdata, TomlError *reterr);

typedef struct Reading {
        take_t take;
        void *userdata;
        char ***notes;
        bool is_others; /* in a home of somebody else, whose files we may not see */
} Reading;

int tool_path_clean(char **path) {
        char *clean;
        int r;

        r = text_clean_lines(*path, strlen(*path), &clean);
        if (r < 0)
                return r;
        for (char *c = clean; (c = strpbrk(c, "\n\t"));)
                *c = '?';
        free(*path);
        *path = clean;
        return 0;
}

static int note(const Reading *r, const char *path, const TomlError *error, int number) {
        const char *what = number == -EMEDIUMTYPE ? "no regular file"
                           : number == -EFBIG     ? "larger than 1 MiB"
                                                  : strerrordesc_np(-number) ?: "unknown error";
        char *text;
        int k;

        /* Nor are the files there that hold credentials, which is told of then. */
        if ((number == -EACCES || number == -EPERM) && r->is_others)
                return 0;
        k = number == -EBADMSG && error && error->what
                    ? text_format(&text, "%s:%zu: %s; tools that read this file fail", path, error->line,
                                  error->what)
                    : text_format(&text, "%s: %s", path, what);
        if (k < 0)
                return k;
        k = tool_path_clean(&text);
        if (k < 0) {
                free(text);
                return k;
        }
        /* Tools may share a file. */
        if (!strv_contains(*r->notes, text))
                return strv_consume(r->notes, text);
        free(text);
        return 0;
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

/* The names of what is no directory in a directory, with this suffix, sorted. */
static int list(const Reading *reading, const char *path, const char *suffix, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        struct dirent *e;
        int r = 0;
        DIR *d;

        *ret = NULL;
        d = opendir(path);
        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : note(reading, path, NULL, -errno);
        while (r >= 0 && (e = readdir(d)))
                /* As the tools do: directories are passed over, files with a dot in front are not. */
                if (e->d_type != DT_DIR && endswith(e->d_name, suffix))
                        r = strv_append(&names, e->d_name);
        (void) closedir(d);
        if (r < 0)
                return r;
        if (names)
                strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int read_directory(const Reading *reading, const char *root, const char *directory,
                          const char *suffix) {
        _cleanup_free_ char *parent = NULL;
        _cleanup_strv_ char **names = NULL;
        int r;

        r = text_format(&parent, "%s/%s", root, directory);
        if (r >= 0)
                r = list(reading, parent, suffix, &names);
        for (size_t i = 0; names && names[i] && r >= 0; i++) {
                _cleanup_free_ char *one = NULL;

                r = text_format(&one, "%s/%s", parent, names[i]);
                if (r >= 0)
                        r = read_one(reading, one);
        }
        return r;
}

static int read_all(const Reading *reading, const char *root, const char *file, const char *directory,
                    const char *suffix) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_format(&path, "%s/%s", root, file);
        if (r >= 0)
                r = read_one(reading, path);
        return r < 0 || !directory ? r : read_directory(reading, root, directory, suffix);
}

/* A key that is looked for, its last value, and that of the file that is read. */
typedef struct Wanted {
        const char *name;
        char *value, *read;
} Wanted;

static int take_value(const TomlString *s, void *userdata) {
        Wanted *w = userdata;
        int r = 0;

        if (s->kind == TOML_STRING && streq(s->name, w->name))
                r = free_and_strdup(&w->read, s->value);
        return r < 0 ? r : 0;
}

/* Nothing of a file that is broken. */
static int take_wanted(const char *text, size_t size, void *userdata, TomlError *reterr) {
        Wanted *w = userdata;
        int r;

        r = toml_strings(text, size, take_value, w, reterr);
        if (r >= 0 && w->read) {
                free(w->value);
                w->value = TAKE_PTR(w->read);
        }
        free(w->read);
        w->read = NULL;
        return r;
}

int tool_setting(const char *root, const char *file, const char *directory, const char *name, char ***notes,
                 char **ret) {
        Wanted w = { .name = name };
        int r;

        r = read_all(&(Reading){ .take = take_wanted, .userdata = &w, .notes = notes }, root, file,
                     directory, "");
        if (r < 0) {
                free(w.value);
                return r;
        }
        *ret = w.value;
        return 0;
}

/* [engine] env, file by file: a list puts itself in the place of those before it, unless it or one of them
 * says that lists are appended. Of two of the same name in a list the first one counts. */
typedef struct Engine {
        char *value, *read;
        bool is_there; /* the list, in the file that is read */
        bool appends, read_appends;
} Engine;

static int take_engine_string(const TomlString *s, void *userdata) {
        Engine *e = userdata;
        const char *value;

        if (s->kind == TOML_ATTRIBUTE && streq(s->name, "engine.env.append"))
                e->read_appends = streq(s->value, "true");
        if (!streq(s->name, "engine.env"))
                return 0;
        e->is_there |= s->kind == TOML_ARRAY;
        value = s->kind == TOML_ELEMENT && !e->read ? startswith(s->value, "REGISTRY_AUTH_FILE=") : NULL;
        return value ? free_and_strdup(&e->read, value) : 0;
}

static int take_engine(const char *text, size_t size, void *userdata, TomlError *reterr) {
        Engine *e = userdata;
        int r;

        e->is_there = false;
        e->read_appends = e->appends;
        r = toml_strings(text, size, take_engine_string, e, reterr);
        if (r >= 0 && e->is_there) {
                e->appends = e->read_appends;
                if (!e->appends || !e->value) {
                        free(e->value);
                        e->value = TAKE_PTR(e->read);
                }
        }
        free(e->read);
        e->read = NULL;
        return r < 0 ? r : 0;
}

/* A file, and the directory of its name with ".d" behind it. */
static int read_with_drop_ins(const Reading *reading, const char *root, const char *file) {
        _cleanup_free_ char *directory = NULL;
        int r;

        file += strspn(file, "/");
        r = text_format(&directory, "%s.d", file);
        return r < 0 ? r : read_all(reading, root, file, directory, ".conf");
}

/* One that the environment names, from where we are if need be. */
static int read_named(const Reading *reading, const char *root, const char *file) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = text_format(&path, "%s%s", root, file);
        return r < 0 ? r : read_one(reading, path);
}

static int read_engine(const Reading *reading, const EngineFiles *files) {
        Reading in_home = *reading;
        _cleanup_free_ char *own = NULL;
        int r;

        if (!isempty(files->only))
                return read_named(reading, files->root, files->only);
        r = isempty(files->config_home) ? text_format(&own, "%s/.config/" ENGINE_FILE, files->home)
                                        : text_format(&own, "%s/" ENGINE_FILE, files->config_home);
        if (r >= 0)
                r = read_all(reading, files->root, "usr/share/" ENGINE_FILE, NULL, "");
        if (r >= 0)
                r = read_with_drop_ins(reading, files->root, "etc/" ENGINE_FILE);
        in_home.is_others = !files->is_us;
        return r < 0 ? r : read_with_drop_ins(&in_home, files->root, own);
}

int tool_engine_file(const EngineFiles *files, char ***notes, char **ret) {
        Engine e = {};
        const Reading reading = { .take = take_engine, .userdata = &e, .notes = notes };
        int r;

        r = read_engine(&reading, files);
        if (r >= 0 && !isempty(files->last))
                r = read_named(&reading, files->root, files->last);
        if (r < 0) {
                free(e.value);
                return r;
        }
        *ret = e.value;
        return 0;
}

static int take_registries(const char *text, size_t size, void *userdata, TomlError *reterr) {
        return registries_add(userdata, text, size, reterr);
}

/* Once a user has the file itself, nothing of the system counts; the drop-ins alone come behind those of the
 * system. $XDG_CONFIG_HOME does not count here. Seen with Podman 4.3 and Skopeo 1.9. */
int tool_registries(const RegistriesFiles *files, char ***notes, Registries *ret) {
        const Reading reading = { .take = take_registries, .userdata = ret, .notes = notes };
        _cleanup_free_ char *own = NULL, *path = NULL;
        Reading in_home = reading;
        int r;

        in_home.is_others = !files->is_us;
        r = text_format(&own, "%s/.config/" REGISTRIES_FILE, files->home + strspn(files->home, "/"));
        if (r >= 0)
                r = text_format(&path, "%s/%s", files->root, own);
        if (r < 0)
                return r;
        if (isempty(files->instead) && access(path, F_OK) == 0)
                return read_with_drop_ins(&in_home, files->root, own);
        if (!isempty(files->instead)) {
                r = read_named(&reading, files->root, files->instead);
                if (r >= 0)
                        r = read_directory(&reading, files->root, "etc/" REGISTRIES_FILE ".d", ".conf");
        } else
                r = read_with_drop_ins(&reading, files->root, "etc/" REGISTRIES_FILE);
        free(TAKE_PTR(path));
        if (r >= 0)
                r = text_format(&path, "%s.d", own);
        return r < 0 ? r : read_directory(&in_home, files->root, path, ".conf");
}
