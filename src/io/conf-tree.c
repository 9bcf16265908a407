/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds and reads configuration files over the three places.
 *
 * Owns the rules of precedence, masking and drop-ins, and those of which files are safe to believe. Knows
 * nothing of what the files say: that is for codec/conf and the tables of each kind. One bad file never
 * keeps another from being read. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/text.h"
#include "io/conf-tree.h"

#define NAME_MAX_LENGTH 64

static const char *const places[_CONF_PLACE_MAX] = {
        [CONF_PLACE_ETC] = "/etc/pullauth",
        [CONF_PLACE_RUN] = "/run/pullauth",
        [CONF_PLACE_USR] = "/usr/lib/pullauth",
};

const char *conf_place_path(ConfPlace p) {
        return p >= 0 && p < _CONF_PLACE_MAX ? places[p] : NULL;
}

/* What is looked at: the disk below a root, and what shall be taken for true instead. */
typedef struct View {
        const char *root;
        const ConfOverlay *overlays;
        size_t n_overlays;
} View;

static const ConfOverlay *find_overlay(const View *v, const char *path) {
        for (size_t i = 0; i < v->n_overlays; i++)
                if (streq(v->overlays[i].path, path))
                        return v->overlays + i;
        return NULL;
}

bool conf_name_is_valid(const char *name) {
        size_t n;

        if (isempty(name) || name[0] == '.' || name[0] == '-')
                return false;
        n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
        return name[n] == '\0' && n <= NAME_MAX_LENGTH;
}

static void dir_closep(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Appends the names in `path` that end in `suffix` (cut off). A place that does not exist is empty. */
static int list_directory(const char *path, const char *suffix, char ***names) {
        _cleanup_(dir_closep) DIR *d = NULL;
        struct dirent *e;

        d = opendir(path);
        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        while (errno = 0, (e = readdir(d))) {
                const char *end = endswith(e->d_name, suffix);
                char *name;
                int r;

                if (!end || end == e->d_name || e->d_name[0] == '.')
                        continue;
                name = strndup(e->d_name, (size_t) (end - e->d_name));
                if (!name)
                        return -ENOMEM;
                r = strv_consume(names, name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static void drop_duplicates(char **sorted) {
        char **out = sorted;

        if (!sorted || !*sorted)
                return;
        for (char **in = sorted + 1; *in; in++)
                if (streq(*in, *out))
                        free(*in);
                else
                        *++out = *in;
        out[1] = NULL;
}

/* The names that overlays have in `directory`, in it alone. What they hide is still among the names of
 * the disk; whoever looks for the file does not find it. */
static int list_overlays(const View *v, const char *directory, const char *suffix, char ***names) {
        for (size_t i = 0; i < v->n_overlays; i++) {
                const char *name = startswith(v->overlays[i].path, directory), *end;
                char *copy;
                int r;

                if (!v->overlays[i].text || !name || name[0] != '/' || strchr(++name, '/'))
                        continue;
                end = endswith(name, suffix);
                if (!end || end == name)
                        continue;
                copy = strndup(name, (size_t) (end - name));
                if (!copy)
                        return -ENOMEM;
                r = strv_consume(names, copy);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* All names over the three places; `subdir` is "jobs" or "jobs/edge.job.d". */
static int list_places(const View *v, const char *subdir, const char *suffix, char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = text_format(&path, "%s%s/%s", v->root, places[i], subdir);
                if (r >= 0)
                        r = list_directory(path, suffix, &names);
                if (r >= 0)
                        r = list_overlays(v, path, suffix, &names);
                if (r < 0)
                        return r;
        }
        strv_sort(names);
        drop_duplicates(names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* The path of the highest place that has the file. Returns 1, 0 if none has it, -ENOMEM. */
static int find_file(const View *v, const char *subdir, const char *file, char **ret, struct stat *ret_st) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;
                const ConfOverlay *o;
                int r;

                r = text_format(&path, "%s%s/%s%s%s", v->root, places[i], subdir, isempty(subdir) ? "" : "/",
                                file);
                if (r < 0)
                        return r;
                o = find_overlay(v, path);
                if (o && o->text) {
                        *ret_st = (struct stat){ .st_mode = S_IFREG };
                        *ret = TAKE_PTR(path);
                        return 1;
                }
                if (o || lstat(path, ret_st) < 0)
                        continue;
                /* A dangling link is still the file of this place; reading it will say so. */
                (void) stat(path, ret_st);
                *ret = TAKE_PTR(path);
                return 1;
        }
        return 0;
}

static bool is_mask(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int complain_about_reading(Conf *conf, const char *path, int error) {
        switch (-error) {
        case ENOMEM:
                return error;
        case EPERM:
                return conf_add_message(conf, CONF_ERROR, path, 0,
                                        "The file must belong to root and must not be writable by group or "
                                        "others, use chown root and chmod go-w");
        case EFBIG:
                return conf_add_message(conf, CONF_ERROR, path, 0, "The file is larger than %d KiB",
                                        CONF_FILE_MAX / 1024);
        case EBADMSG:
                return conf_add_message(conf, CONF_ERROR, path, 0,
                                        "The file holds NUL bytes, it is no text");
        case EISDIR:
        case EMEDIUMTYPE:
                return conf_add_message(conf, CONF_ERROR, path, 0, "This is no regular file");
        default:
                return conf_add_message(conf, CONF_ERROR, path, 0, "The file cannot be read: %s",
                                        strerrordesc_np(-error) ?: "unknown error");
        }
}

static int read_file(const View *v, Conf *conf, const char *path) {
        const ConfOverlay *o = find_overlay(v, path);
        _cleanup_secret_ Secret *content = NULL;
        struct iovec bytes;
        int r;

        r = strv_append(&conf->files, path);
        if (r < 0)
                return r;
        if (o && o->text)
                return conf_parse(conf, path, o->text, strlen(o->text));
        r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, &content, NULL);
        if (r < 0)
                return complain_about_reading(conf, path, r);
        bytes = secret_peek(content);
        return conf_parse(conf, path, bytes.iov_base, bytes.iov_len);
}

static int read_drop_ins(const View *v, const char *kind, const char *file, Conf *conf) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *subdir = NULL;
        int r;

        r = text_format(&subdir, "%s%s%s.d", kind, isempty(kind) ? "" : "/", file);
        if (r >= 0)
                r = list_places(v, subdir, ".conf", &names);
        STRV_FOREACH(n, names) {
                _cleanup_free_ char *name = NULL, *path = NULL;
                struct stat st;

                if (r < 0)
                        return r;
                r = text_format(&name, "%s.conf", *n);
                if (r < 0)
                        return r;
                r = find_file(v, subdir, name, &path, &st);
                if (r > 0 && !is_mask(&st))
                        r = read_file(v, conf, path);
        }
        return r < 0 ? r : 0;
}

/* Returns 1 and fills *ret, 0 if the name is masked, -ENOMEM. */
static int load_one(const View *v, const char *kind, const char *name, const char *suffix, Conf **ret) {
        _cleanup_free_ char *file = NULL, *path = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        struct stat st;
        int r;

        r = text_format(&file, "%s%s", name, suffix);
        if (r < 0)
                return r;
        r = find_file(v, kind, file, &path, &st);
        if (r <= 0 || is_mask(&st))
                return r < 0 ? r : 0;
        r = conf_new(&conf);
        if (r >= 0)
                r = read_file(v, conf, path);
        if (r >= 0)
                r = read_drop_ins(v, kind, file, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(conf);
        return 1;
}

static int load_into(const View *v, const char *kind, const char *name, const char *suffix, ConfTree *ret) {
        _cleanup_free_ char *copy = strdup(name);
        int r;

        if (!copy)
                return -ENOMEM;
        r = load_one(v, kind, name, suffix, &ret->conf);
        if (r > 0)
                ret->name = TAKE_PTR(copy);
        return r;
}

static int warn_stray_drop_ins(const View *v, const char *kind, const char *suffix, char *const *names,
                               Conf *messages) {
        _cleanup_strv_ char **dirs = NULL;
        _cleanup_free_ char *dir_suffix = NULL;
        int r;

        r = text_format(&dir_suffix, "%s.d", suffix);
        if (r >= 0)
                r = list_places(v, kind, dir_suffix, &dirs);
        if (r < 0)
                return r;
        STRV_FOREACH(d, dirs) {
                _cleanup_free_ char *path = NULL, *file = NULL;
                struct stat st;

                if (strv_contains(names, *d))
                        continue;
                r = text_format(&file, "%s%s", *d, dir_suffix);
                if (r >= 0)
                        r = find_file(v, kind, file, &path, &st);
                if (r > 0)
                        r = conf_add_message(messages, CONF_WARNING, path, 0,
                                             "There is no file %s%s that these drop-ins would belong to, "
                                             "ignoring",
                                             *d, suffix);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int warn_invalid_name(const View *v, const char *kind, const char *name, const char *suffix,
                             Conf *messages) {
        _cleanup_free_ char *file = NULL, *path = NULL;
        struct stat st;
        int r;

        r = text_format(&file, "%s%s", name, suffix);
        if (r >= 0)
                r = find_file(v, kind, file, &path, &st);
        if (r <= 0)
                return r;
        return conf_add_message(
                messages, CONF_WARNING, path, 0,
                "The name must be 1 to %d letters, digits, '_', '.', '-' and start with neither "
                "'.' nor '-', ignoring",
                NAME_MAX_LENGTH);
}

int conf_tree_load(const char *root, const char *kind, const char *suffix, Conf *messages, ConfTree **ret,
                   size_t *ret_n) {
        const View v = { .root = root };
        _cleanup_strv_ char **names = NULL;
        ConfTree *trees;
        size_t n = 0;
        int r;

        r = list_places(&v, kind, suffix, &names);
        if (r < 0)
                return r;
        trees = calloc(strv_length(names) + 1, sizeof(*trees));
        if (!trees)
                return -ENOMEM;
        STRV_FOREACH(name, names) {
                if (conf_name_is_valid(*name))
                        r = load_into(&v, kind, *name, suffix, trees + n);
                else
                        r = warn_invalid_name(&v, kind, *name, suffix, messages);
                if (r < 0)
                        break;
                if (trees[n].name)
                        n++;
        }
        if (r >= 0)
                r = warn_stray_drop_ins(&v, kind, suffix, names, messages);
        if (r < 0) {
                conf_tree_free_many(trees, n);
                return r;
        }
        *ret = trees;
        *ret_n = n;
        return 0;
}

ConfTree *conf_tree_free_many(ConfTree *t, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(t[i].name);
                conf_free(t[i].conf);
        }
        free(t);
        return NULL;
}

int conf_tree_load_one(const char *root, const ConfKind *kind, const char *name, const ConfOverlay *overlays,
                       size_t n_overlays, Conf **ret) {
        const View v = { .root = root, .overlays = overlays, .n_overlays = n_overlays };

        return load_one(&v, kind->directory, name, kind->suffix, ret);
}

int conf_tree_load_file(const char *root, const char *file, Conf **ret) {
        const View v = { .root = root };
        _cleanup_free_ char *path = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        struct stat st;
        int r;

        r = conf_new(&conf);
        if (r >= 0)
                r = find_file(&v, "", file, &path, &st);
        if (r > 0 && !is_mask(&st))
                r = read_file(&v, conf, path);
        if (r >= 0)
                r = read_drop_ins(&v, "", file, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(conf);
        return 0;
}

static int load_one_file(const char *root, size_t kind, const char *file, conf_take_t take, void *userdata) {
        Conf *conf;
        int r;

        r = conf_tree_load_file(root, file, &conf);
        return r < 0 ? r : take(kind, file, conf, userdata);
}

int conf_tree_load_kinds(const char *root, const ConfKind *kinds, size_t n_kinds, Conf *messages,
                         conf_take_t take, void *userdata) {
        int r = 0;

        for (size_t kind = 0; kind < n_kinds && r >= 0; kind++) {
                ConfTree *trees = NULL;
                size_t n = 0;

                if (!kinds[kind].directory) {
                        r = load_one_file(root, kind, kinds[kind].suffix, take, userdata);
                        continue;
                }
                r = conf_tree_load(root, kinds[kind].directory, kinds[kind].suffix, messages, &trees, &n);
                for (size_t i = 0; i < n && r >= 0; i++)
                        r = take(kind, trees[i].name, TAKE_PTR(trees[i].conf), userdata);
                conf_tree_free_many(trees, n);
        }
        return r;
}
